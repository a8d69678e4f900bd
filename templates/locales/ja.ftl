### See en.ftl.


## Every email

greeting = こんにちは。
greeting-name = { $first_name } 様
mail-link-instead = ボタンが機能しない場合は、次のリンクを開いてください：
mail-was-you = ご自身による操作であれば、何もする必要はありません。
mail-was-not-you = この操作にお心当たりがありませんか？
mail-reset-button = パスワードを再設定する
mail-footer = このメールは、{ $app_name }でこのメールアドレスをご利用の方に自動送信しています。
support = ご不明な点がありましたら、{ $support_email } までお問い合わせください。


## Times and durations

moment = { $date } { $time }（UTC）
duration-seconds = { $count ->
   *[other] { $count }秒
}
duration-minutes = { $count ->
   *[other] { $count }分
}
duration-hours = { $count ->
   *[other] { $count }時間
}
duration-days = { $count ->
   *[other] { $count }日間
}


## Email verify_email: after a sign-up, to prove the address

verify-email-subject = メールアドレスの確認をお願いします
verify-email-title = メールアドレスの確認
verify-email-preheader = ワンクリックで、{ $app_name }のアカウントをすぐにご利用いただけます。リンクの有効期間は{ $lifetime }です。
verify-email-lead = { $app_name }へようこそ。このメールアドレスがご自身のものであることを確認してください。リンクと確認コードの有効期間は{ $lifetime }です。
verify-email-button = メールアドレスを確認する
verify-email-code = または、登録手続きをした画面で次の確認コードを入力してください：
verify-email-note = 登録にお心当たりがない場合は、このメールを無視してください。リンクまたは確認コードがなければ、このメールアドレスのアカウントは誰にも使えません。
verify-email-footer = このメールは、{ $app_name }でこのメールアドレスを使った登録があったため、お送りしています。


## Email reset_password: somebody asked for a new password

reset-password-subject = パスワードの再設定
reset-password-title = パスワードの再設定
reset-password-preheader = { $app_name }の新しいパスワードを設定してください。リンクの有効期間は{ $lifetime }です。
reset-password-lead = { $app_name }のアカウントについて、パスワード再設定の申請がありました。リンクと確認コードは1回だけ使えます。有効期間は{ $lifetime }です。
reset-password-button = 新しいパスワードを設定する
reset-password-code = または、再設定を申請した画面で次の確認コードを入力してください：
reset-password-note = 申請にお心当たりがない場合は、このメールを無視してください。パスワードは変更されず、これまでどおりお使いいただけます。


## Email password_changed: the password was changed

password-changed-subject = パスワードが変更されました
password-changed-title = パスワードが変更されました
password-changed-preheader = 変更日時：{ $changed_at }。お心当たりがない場合は、すぐに対応してください。
password-changed-lead = { $app_name }のアカウントのパスワードが、{ $changed_at }に変更されました。
password-changed-act = その場合は、すぐに新しいパスワードを設定してください。これにより、ログイン中のすべての端末からもログアウトします。


## Email change_email: to the new address, to prove it

change-email-subject = 新しいメールアドレスの確認をお願いします
change-email-title = 新しいメールアドレスの確認
change-email-preheader = あと1ステップで、このメールアドレスを{ $app_name }でお使いいただけます。リンクの有効期間は{ $lifetime }です。
change-email-lead = { $app_name }のアカウントのメールアドレスを { $new_address } に変更するには、確認が必要です。リンクと確認コードは1回だけ使えます。有効期間は{ $lifetime }です。確認が完了するまでは、これまでのメールアドレスのままです。
change-email-button = このメールアドレスを確認する
change-email-code = または、変更を申請した画面で次の確認コードを入力してください：
change-email-note = 申請にお心当たりがない場合は、このメールを無視してください。何も変更されません。
change-email-footer = このメールは、{ $app_name }で新しいメールアドレスとしてこのアドレスが入力されたため、お送りしています。


## Email email_change_requested: to the old address, before the change

email-change-requested-subject = メールアドレス変更の申請がありました
email-change-requested-title = メールアドレス変更の申請がありました
email-change-requested-preheader = 確認が完了すると、{ $masked_address } に変更されます。お心当たりがない場合は、すぐに対応してください。
email-change-requested-lead = { $requested_at }に、{ $app_name }のアカウントのメールアドレスを { $masked_address } に変更する申請がありました。新しいメールアドレスで確認が完了すると、変更されます。
email-change-requested-act = その場合、パスワードが第三者に知られていると考えられます。すぐに新しいパスワードを設定してください。新しいメールアドレスに送信されたリンクも無効になります。


## Email email_changed: to the old address, after the change

email-changed-subject = メールアドレスが変更されました
email-changed-title = メールアドレスが変更されました
email-changed-preheader = { $masked_address } に変更されました。お心当たりがない場合は、72時間以内に元に戻してください。
email-changed-lead = { $changed_at }に、{ $app_name }のアカウントのメールアドレスが { $masked_address } に変更されました。
email-changed-act = その場合は、このメールアドレスに戻してください。すべての端末からログアウトし、新しいパスワードを設定するためのリンクをお送りします。
email-changed-button = 元のメールアドレスに戻す
email-changed-until = リンクは1回だけ使えます。有効期間は72時間、期限は{ $undo_until }です。
email-changed-undone = アカウントは以前のメールアドレスに戻されました。このメールアドレスではログインできなくなりました。


## Email welcome: an administrator sends it to any address

welcome-subject = アプリへようこそ
welcome-title = アプリへようこそ
welcome-preheader = ご利用いただき、ありがとうございます。
welcome-lead = { $app_name }をご利用いただき、ありがとうございます。
welcome-button = { $app_name }を開く


## Every page

page-error-title = エラー：{ $title }
page-email-label = メールアドレス
page-continue = { $app_name }に進む
page-status = ステータス { $status }


## Pages of links and codes: whose account it is

page-account = アカウント { $email } は、{ $created_at }に作成されました。
page-account-name = アカウント { $email } は、{ $created_at }に名前「{ $name }」で作成されました。
page-account-username = アカウント { $email } は、{ $created_at }にユーザー名「{ $username }」で作成されました。
page-account-name-username = アカウント { $email } は、{ $created_at }に名前「{ $name }」、ユーザー名「{ $username }」で作成されました。


## Page: verify an address

page-verify-title = メールアドレスの確認
page-verify-lead = ご自身のアカウントであれば、ボタンを押してください。アカウントが使えるようになります。
page-verify-button = メールアドレスを確認する
page-verify-not-me = 登録した覚えがありません
page-verify-code-title = ご自身のアカウントですか？
page-verify-code-lead = 確認コードが一致しました。ご自身のアカウントであれば、ボタンを押してください。アカウントが使えるようになります。
page-verify-code-button = はい、自分のアカウントです
page-verified-title = アカウントの確認完了
page-verified-heading = アカウントの確認が完了しました
page-verified-lead = ありがとうございます。このページを閉じて、ログインしてください。
page-verified-thanks = ありがとうございます。


## Page: the owner of an address deletes the account that another person made with it

page-not-me-title = このアカウントを削除しますか？
page-not-me-lead = 登録にお心当たりがない場合は、ほかの方がこのメールアドレスを使って登録したものと思われます。ボタンを押すと、アカウントが削除されます。この操作は取り消せません。
page-not-me-button = このアカウントを削除する
page-not-me-done-title = アカウントを削除しました
page-not-me-done-lead = このアカウントはもう誰にも使えません。ほかに必要な操作はありません。このメールアドレスは、いつでもご自身で登録できます。


## Pages: a link that does not work

page-expired-title = このリンクは期限切れです
page-expired-lead = アカウントを守るため、リンクには有効期限があります。新しいリンクを受け取るには、メールアドレスを入力してください。
page-expired-log-in = アカウントを守るため、リンクには有効期限があります。ログインして、もう一度メールアドレスの変更を申請してください。
page-expired-undo = メールアドレスの変更を元に戻せるのは72時間以内です。期限を過ぎたため、メールアドレスは現在のままになります。
page-expired-button = 新しいリンクを送信する
page-invalid-title = このリンクは使えません
page-invalid-lead = リンクがすでに使われたか、途中で切れています。メールのリンクをもう一度開くか、新しいリンクを取得してください：
page-invalid-verification = 新しい確認用リンク
page-invalid-reset = パスワードを再設定する


## Pages: ask for a link

page-request-verification-title = 確認用リンクの再送信
page-request-verification-lead = 登録したメールアドレスを入力してください。まだ確認が完了していない場合は、新しいリンクと確認コードをお送りします。
page-request-reset-title = パスワードの再設定
page-request-reset-lead = アカウントのメールアドレスを入力してください。新しいパスワードを設定するためのリンクと確認コードをお送りします。
page-request-button = リンクを送信する
page-request-have-code = 確認コードをお持ちの方はこちら
page-requested-title = メールをご確認ください
page-requested-verification = 入力されたメールアドレスのアカウントが存在し、まだ確認が完了していない場合は、まもなく新しいリンクが届きます。
page-requested-reset = パスワードの再設定方法をメールでご確認ください。
page-requested-help = 数分たってもメールが届かない場合は、迷惑メールフォルダーを確認し、メールアドレスに間違いがないかお確かめください。


## Pages: the code of an email instead of its link

page-code-heading = リンクまたは確認コード
page-code-lead = メールにはリンクと確認コードが記載されています。リンクを開くか、ここに確認コードを入力してください。
page-enter-code-lead = メールに記載された8桁の確認コードを入力してください。
page-code-label = メールに記載の確認コード
page-code-again = 新しいリンクと確認コードを取得する


## Page: a new password

page-reset-title = 新しいパスワードの設定
page-reset-label = 新しいパスワード
page-reset-hint = { $min_length }文字以上{ $max_length }文字以下で入力してください。互いに関連のない単語をいくつか組み合わせるのがおすすめです。
page-reset-again-label = 新しいパスワード（確認用）
page-reset-button = 新しいパスワードを保存する
page-reset-footer = 保存すると、このアカウントにログインしているすべての端末からログアウトします。
page-reset-done-title = パスワードの変更完了
page-reset-done-heading = 新しいパスワードを保存しました
page-reset-done-lead = このページを閉じて、新しいパスワードでログインしてください。このアカウントにログインしていたすべての端末からログアウトしました。
page-reset-done-continue = 新しいパスワードでログインしてください。このアカウントにログインしていたすべての端末からログアウトしました。


## Pages: another address

page-email-change-title = 新しいメールアドレスの確認
page-email-change-lead = ボタンを押すと、このメールアドレスがアカウントに設定されます。以後は、このメールアドレスでログインします。
page-email-change-not-me = 申請にお心当たりがない場合や、ご自分のアカウントでない場合は、このページを閉じてください。何も変更されません。
page-email-change-button = このメールアドレスを確認する
page-email-changed-title = メールアドレスの変更完了
page-email-changed-heading = メールアドレスを変更しました
page-email-changed-lead = 今後は、新しいメールアドレスでログインしてください。
page-undo-title = メールアドレスの変更を元に戻す
page-undo-lead = ボタンを押すと、アカウントのメールアドレスが { $email } に戻ります。ログイン中のすべての端末からログアウトし、現在のパスワードは使えなくなります。新しいパスワードを設定するためのリンクをお送りします。
page-undo-button = 元のメールアドレスに戻す
page-undone-title = メールアドレスを元に戻しました
page-undone-lead = すべての端末からログアウトしました。新しいパスワードを設定するためのリンクをメールでご確認ください。今後は、新しいパスワードでのみログインできます。


## Pages: no more emails of one kind

page-unsubscribe-title = このメールの配信を停止しますか？
page-unsubscribe-lead = ボタンを押すと、{ $email } にこの種類のメールが届かなくなります。新しいパスワードを設定するためのリンクなど、アカウントに関するメールは引き続き届きます。
page-unsubscribe-button = 配信を停止する
page-unsubscribed-title = 配信を停止しました
page-unsubscribed-lead = { $app_name }からこの種類のメールは届かなくなります。新しいパスワードを設定するためのリンクなど、アカウントに関するメールは引き続き届きます。


## Forms: what is wrong with a field

field-required = すべての項目を入力してください。
field-invalid = 入力内容を確認してください。
address-empty = メールアドレスを入力してください。
address-malformed = メールアドレスは name@example.org の形式で入力してください。
address-too-long = メールアドレスが長すぎます。
address-forbidden = メールアドレスに空白や目に見えない文字は使えません。
address-not-ascii = 「@」の前に使えるのは、半角の英字、数字、記号だけです。
password-length = 新しいパスワードは{ $min_length }文字以上{ $max_length }文字以下で入力してください。
password-forbidden = 新しいパスワードに制御文字は使えません。
password-own-words = ご自身のメールアドレスや名前だけのパスワードは使えません。
password-guessable = 推測されやすいパスワードです。あまり使われていないものか、もっと長いものにしてください。
code-malformed = 確認コードは8桁の数字で入力してください。
code-wrong = 確認コードが間違っているか、期限切れです。もう一度確認するか、新しい確認コードを取得してください。
passwords-differ = 2つのパスワードが一致しません。


## Pages: errors, by their code. The second line of some says what to do

error-user_not_found = このアカウントはもう存在しません
error-user_exists = このメールアドレスは別のアカウントで使われています
error-already_verified = このアカウントはすでに確認済みです
error-insufficient_permissions = この操作を行う権限がありません
error-account_disabled = このアカウントは無効になっています
error-too_many_requests = リクエストが多すぎます
error-too_many_requests-resolution = しばらく待ってから、もう一度お試しください。
error-malformed_body = フォームを読み取れません
error-validation_error = フォームに不備があります
error-body_too_large = フォームのデータが大きすぎます
error-request_timeout = リクエストがタイムアウトしました
error-not_found = このページは存在しません
error-server_error = 問題が発生しました
error-server_error-resolution = 時間をおいて、もう一度お試しください。
error-unavailable = 現在サービスをご利用いただけません
error-unavailable-resolution = しばらく待ってから、もう一度お試しください。


## The start page: what runs

start-title = ホーム
start-heading = { $app_name }は稼働中です
start-version = バージョン
start-database = データベース
start-queue = キュー
start-queue-in-process = このプロセス内
start-emails = メール
start-emails-files = ファイル
start-docs = APIドキュメント
start-inbox = 受信トレイ
start-health = ヘルスチェック
start-openapi = OpenAPI
start-sign-up = 登録して最初のメールを受け取る
start-command = 登録用のコマンド
start-link-inbox = 実行後、確認用リンクが受信トレイに届きます。
start-link-sent = 実行後、確認用リンクがそのメールアドレスに送信されます。
