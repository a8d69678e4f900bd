### See en.ftl.


## Every email

greeting = 您好：
greeting-name = { $first_name }，您好：
mail-link-instead = 如果按钮无法使用，请打开以下链接：
mail-was-you = 如果是您本人操作，则无需处理。
mail-was-not-you = 不是您本人操作？
mail-reset-button = 重置密码
mail-footer = 您收到此邮件，是因为此邮箱地址已用于 { $app_name }。本邮件由系统自动发送。
support = 如有疑问，请发送邮件至 { $support_email }。


## Times and durations

moment = { $date } { $time }（UTC）
duration-seconds = { $count ->
   *[other] { $count } 秒
}
duration-minutes = { $count ->
   *[other] { $count } 分钟
}
duration-hours = { $count ->
   *[other] { $count } 小时
}
duration-days = { $count ->
   *[other] { $count } 天
}


## Email verify_email: after a sign-up, to prove the address

verify-email-subject = 请验证您的邮箱
verify-email-title = 验证您的邮箱
verify-email-preheader = 只需点击一下，您的 { $app_name } 账号即可使用。链接有效期为 { $lifetime }。
verify-email-lead = 欢迎使用 { $app_name }。请确认这是您的邮箱地址。链接和验证码的有效期为 { $lifetime }。
verify-email-button = 验证邮箱
verify-email-code = 您也可以在注册页面输入以下验证码：
verify-email-note = 如果您没有注册，请忽略此邮件。没有链接或验证码，任何人都无法使用以您的邮箱注册的账号。
verify-email-footer = 您收到此邮件，是因为有人使用此邮箱地址注册了 { $app_name }。


## Email reset_password: somebody asked for a new password

reset-password-subject = 重置您的密码
reset-password-title = 重置您的密码
reset-password-preheader = 请为您的 { $app_name } 账号设置新密码。链接有效期为 { $lifetime }。
reset-password-lead = 我们收到了重置您的 { $app_name } 账号密码的申请。链接和验证码只能使用一次，有效期为 { $lifetime }。
reset-password-button = 设置新密码
reset-password-code = 您也可以在申请重置密码的页面输入以下验证码：
reset-password-note = 如果不是您本人申请，请忽略此邮件。不会发生任何更改，您的密码保持不变。


## Email password_changed: the password was changed

password-changed-subject = 您的密码已更改
password-changed-title = 您的密码已更改
password-changed-preheader = 更改时间：{ $changed_at }。如果不是您本人操作，请立即处理。
password-changed-lead = 您的 { $app_name } 账号密码已于 { $changed_at }更改。
password-changed-act = 请立即设置新密码，所有已登录的设备也会随之退出登录。


## Email change_email: to the new address, to prove it

change-email-subject = 请确认您的新邮箱地址
change-email-title = 确认您的新邮箱地址
change-email-preheader = 只差一步，即可在 { $app_name } 使用此邮箱地址。链接有效期为 { $lifetime }。
change-email-lead = 请确认将您的 { $app_name } 账号的邮箱地址更改为 { $new_address }。链接和验证码只能使用一次，有效期为 { $lifetime }。确认之前，原邮箱地址保持不变。
change-email-button = 确认此邮箱地址
change-email-code = 您也可以在申请更改邮箱地址的页面输入以下验证码：
change-email-note = 如果不是您本人申请，请忽略此邮件，不会发生任何更改。
change-email-footer = 您收到此邮件，是因为有人在 { $app_name } 将此邮箱地址填写为自己的邮箱地址。


## Email email_change_requested: to the old address, before the change

email-change-requested-subject = 您的邮箱地址即将更改
email-change-requested-title = 您的邮箱地址即将更改
email-change-requested-preheader = 新邮箱地址 { $masked_address } 经确认后即生效。如果不是您本人操作，请立即处理。
email-change-requested-lead = 有人于 { $requested_at }申请将您的 { $app_name } 账号的邮箱地址更改为 { $masked_address }。通过新邮箱确认后，更改即会生效。
email-change-requested-act = 这说明有人知道您的密码。请立即设置新密码，发送至新邮箱的链接也会随之失效。


## Email email_changed: to the old address, after the change

email-changed-subject = 您的邮箱地址已更改
email-changed-title = 您的邮箱地址已更改
email-changed-preheader = 已更改为 { $masked_address }。如果不是您本人操作，请在 72 小时内撤销更改。
email-changed-lead = 您的 { $app_name } 账号的邮箱地址已于 { $changed_at }更改为 { $masked_address }。
email-changed-act = 请恢复此邮箱地址。所有设备都将退出登录，我们会向您发送设置新密码的链接。
email-changed-button = 恢复我的邮箱地址
email-changed-until = 链接只能使用一次，有效期为 72 小时，截止时间为 { $undo_until }。
email-changed-undone = 该账号已恢复为之前的邮箱地址，您无法再使用此邮箱地址登录。


## Email welcome: an administrator sends it to any address

welcome-subject = 欢迎使用我们的应用
welcome-title = 欢迎使用本应用
welcome-preheader = 感谢您的加入。
welcome-lead = 感谢您加入 { $app_name }。
welcome-button = 打开 { $app_name }


## Every page

page-error-title = 错误：{ $title }
page-email-label = 邮箱地址
page-continue = 前往 { $app_name }
page-status = 状态码 { $status }


## Pages of links and codes: whose account it is

page-account = 账号 { $email } 于 { $created_at }创建。
page-account-name = 账号 { $email } 于 { $created_at }以姓名“{ $name }”创建。
page-account-username = 账号 { $email } 于 { $created_at }以用户名“{ $username }”创建。
page-account-name-username = 账号 { $email } 于 { $created_at }以姓名“{ $name }”和用户名“{ $username }”创建。


## Page: verify an address

page-verify-title = 验证您的邮箱
page-verify-lead = 这是您的账号吗？如果是，请点击按钮，账号即可使用。
page-verify-button = 验证邮箱
page-verify-not-me = 我没有注册
page-verify-code-title = 这是您的账号吗？
page-verify-code-lead = 验证码正确。如果这是您的账号，请点击按钮，账号即可使用。
page-verify-code-button = 是，这是我的账号
page-verified-title = 账号已验证
page-verified-heading = 您的账号已通过验证
page-verified-lead = 谢谢。您现在可以关闭此页面并登录。
page-verified-thanks = 谢谢。


## Page: the owner of an address deletes the account that another person made with it

page-not-me-title = 删除此账号？
page-not-me-lead = 如果您没有注册，则说明他人使用了您的邮箱地址。请点击按钮删除此账号。此操作无法撤销。
page-not-me-button = 删除此账号
page-not-me-done-title = 账号已删除
page-not-me-done-lead = 任何人都无法再使用此账号，您无需进行其他操作。您可以随时使用自己的邮箱地址注册。


## Pages: a link that does not work

page-expired-title = 此链接已过期
page-expired-lead = 为保障您的账号安全，链接仅在限定时间内有效。请输入您的邮箱地址，获取新链接。
page-expired-log-in = 为保障您的账号安全，链接仅在限定时间内有效。请登录后重新申请更改邮箱地址。
page-expired-undo = 更改邮箱地址后，只能在 72 小时内撤销。期限已过，邮箱地址将保持现状。
page-expired-button = 发送新链接
page-invalid-title = 此链接无效
page-invalid-lead = 链接已被使用或不完整。请重新打开邮件中的链接，或获取新链接：
page-invalid-verification = 获取新的验证链接
page-invalid-reset = 重置密码


## Pages: ask for a link

page-request-verification-title = 获取新的验证链接
page-request-verification-lead = 请输入您注册时使用的邮箱地址。如果该邮箱尚未验证，我们会向该邮箱发送新的链接和验证码。
page-request-reset-title = 重置您的密码
page-request-reset-lead = 请输入您的账号所用的邮箱地址。我们会向该邮箱发送链接和验证码，供您设置新密码。
page-request-button = 发送链接
page-request-have-code = 我已有验证码
page-requested-title = 请查收邮件
page-requested-verification = 如果该账号存在且尚未验证，您很快会收到新链接。
page-requested-reset = 请查收邮件，并按照其中的说明重置密码。
page-requested-help = 几分钟后仍未收到邮件？请查看垃圾邮件文件夹，并检查邮箱地址是否正确。


## Pages: the code of an email instead of its link

page-code-heading = 链接或验证码
page-code-lead = 邮件中有一个链接和一个验证码。请打开链接，或在此输入验证码。
page-enter-code-lead = 请输入邮件中的 8 位数字验证码。
page-code-label = 邮件中的验证码
page-code-again = 获取新的链接和验证码


## Page: a new password

page-reset-title = 设置新密码
page-reset-label = 新密码
page-reset-hint = 长度为 { $min_length } 至 { $max_length } 个字符。建议组合使用几个互不相关的词语。
page-reset-again-label = 再次输入新密码
page-reset-button = 保存新密码
page-reset-footer = 保存后，所有已登录您账号的设备都将退出登录。
page-reset-done-title = 密码已更改
page-reset-done-heading = 您的新密码已保存
page-reset-done-lead = 您现在可以关闭此页面，并使用新密码登录。所有曾登录您账号的设备均已退出登录。
page-reset-done-continue = 请使用新密码登录。所有曾登录您账号的设备均已退出登录。


## Pages: another address

page-email-change-title = 确认您的新邮箱地址
page-email-change-lead = 点击按钮，即可将此邮箱地址用于您的账号。此后，请使用此邮箱地址登录。
page-email-change-not-me = 如果不是您本人申请，或者这不是您的账号，请关闭此页面，不会发生任何更改。
page-email-change-button = 确认此邮箱地址
page-email-changed-title = 邮箱地址已更改
page-email-changed-heading = 您的邮箱地址已更改
page-email-changed-lead = 从现在起，请使用新邮箱地址登录。
page-undo-title = 撤销邮箱地址更改
page-undo-lead = 点击按钮，即可将您账号的邮箱地址恢复为 { $email }。所有已登录的设备都将退出登录，当前密码也将失效。我们会向您发送设置新密码的链接。
page-undo-button = 恢复我的邮箱地址
page-undone-title = 您的邮箱地址已恢复
page-undone-lead = 所有设备均已退出登录。请查收邮件，通过其中的链接设置新密码。此后只能使用新密码登录。


## Pages: no more emails of one kind

page-unsubscribe-title = 不再接收此类邮件？
page-unsubscribe-lead = 按下按钮后，将不再向 { $email } 发送此类邮件。您仍会收到与账号有关的邮件，例如设置新密码的链接。
page-unsubscribe-button = 退订
page-unsubscribed-title = 您已退订
page-unsubscribed-lead = 您不会再收到来自 { $app_name } 的此类邮件。您仍会收到与账号有关的邮件，例如设置新密码的链接。


## Forms: what is wrong with a field

field-required = 请填写所有字段。
field-invalid = 请检查您输入的内容。
address-empty = 请输入邮箱地址。
address-malformed = 邮箱地址的格式应为 name@example.org。
address-too-long = 邮箱地址过长。
address-forbidden = 邮箱地址不能包含空格或不可见字符。
address-not-ascii = 邮箱地址中 @ 之前的部分只能包含英文字母（a 至 z）、数字和英文标点符号。
password-length = 新密码的长度必须为 { $min_length } 至 { $max_length } 个字符。
password-forbidden = 新密码不能包含控制字符。
password-own-words = 新密码不能由您自己的邮箱地址或姓名构成。
password-guessable = 新密码太容易被猜到，请使用不常见或更长的密码。
code-malformed = 验证码必须为 8 位数字。
code-wrong = 验证码错误或已过期。请检查验证码，或获取新的验证码。
passwords-differ = 两次输入的密码不一致。


## Pages: errors, by their code. The second line of some says what to do

error-user_not_found = 此账号已不存在
error-user_exists = 此邮箱地址已被其他账号使用
error-already_verified = 此账号已通过验证
error-insufficient_permissions = 您没有权限执行此操作
error-account_disabled = 此账号已停用
error-too_many_requests = 请求过于频繁
error-too_many_requests-resolution = 请稍等片刻，然后重试。
error-malformed_body = 无法读取表单
error-validation_error = 表单填写不完整
error-body_too_large = 表单内容过大
error-request_timeout = 请求超时
error-not_found = 此页面不存在
error-server_error = 出错了
error-server_error-resolution = 请稍后重试。
error-unavailable = 服务暂不可用
error-unavailable-resolution = 请稍等片刻，然后重试。


## The start page: what runs

start-title = 首页
start-heading = { $app_name } 正在运行
start-version = 版本
start-database = 数据库
start-queue = 队列
start-queue-in-process = 在本进程中
start-emails = 邮件
start-emails-files = 文件
start-docs = API 文档
start-inbox = 收件箱
start-health = 健康检查
start-openapi = OpenAPI
start-sign-up = 注册账号，接收第一封邮件
start-command = 用于注册的命令
start-link-inbox = 执行后，验证链接会出现在收件箱中。
start-link-sent = 执行后，验证链接会发送至该邮箱地址。
