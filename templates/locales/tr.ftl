### See en.ftl.


## Every email

greeting = Merhaba,
greeting-name = Merhaba { $first_name },
mail-link-instead = Düğme çalışmıyorsa şu bağlantıyı açın:
mail-was-you = Bu işlemi siz yaptıysanız başka bir şey yapmanız gerekmez.
mail-was-not-you = Bu işlemi siz yapmadınız mı?
mail-reset-button = Şifremi sıfırla
mail-footer = Bu e-postayı, bu adres { $app_name } uygulamasında kullanıldığı için alıyorsunuz. E-posta otomatik olarak gönderilmiştir.
support = Sorularınız mı var? { $support_email } adresine yazın.


## Times and durations

moment = { $date } { $time } (UTC)
duration-seconds = { $count ->
    [one] { $count } saniye
   *[other] { $count } saniye
}
duration-minutes = { $count ->
    [one] { $count } dakika
   *[other] { $count } dakika
}
duration-hours = { $count ->
    [one] { $count } saat
   *[other] { $count } saat
}
duration-days = { $count ->
    [one] { $count } gün
   *[other] { $count } gün
}


## Email verify_email: after a sign-up, to prove the address

verify-email-subject = E-posta adresinizi doğrulayın
verify-email-title = E-posta adresinizi doğrulayın
verify-email-preheader = Tek tıkla { $app_name } hesabınız hazır. Bağlantı { $lifetime } boyunca geçerlidir.
verify-email-lead = { $app_name } uygulamasına hoş geldiniz. Lütfen bu e-posta adresinin size ait olduğunu doğrulayın. Bağlantı ve kod { $lifetime } boyunca geçerlidir.
verify-email-button = E-posta adresimi doğrula
verify-email-code = Ya da bu kodu kaydolduğunuz yerde girin:
verify-email-note = Siz kaydolmadıysanız bu e-postayı dikkate almayın: Bağlantı veya kod olmadan kimse adresinizle açılan bir hesabı kullanamaz.
verify-email-footer = Bu e-postayı, birisi bu adresle { $app_name } uygulamasına kaydolduğu için alıyorsunuz.


## Email reset_password: somebody asked for a new password

reset-password-subject = Şifrenizi sıfırlayın
reset-password-title = Şifrenizi sıfırlayın
reset-password-preheader = { $app_name } hesabınız için yeni bir şifre belirleyin. Bağlantı { $lifetime } boyunca geçerlidir.
reset-password-lead = { $app_name } hesabınızın şifresini sıfırlamak için bir istek aldık; umarız bu isteği siz göndermişsinizdir. Bağlantı ve kod yalnızca bir kez kullanılabilir ve { $lifetime } boyunca geçerlidir.
reset-password-button = Yeni şifre belirle
reset-password-code = Ya da bu kodu, istekte bulunduğunuz yerde girin:
reset-password-note = Bu isteği siz göndermediyseniz bu e-postayı dikkate almayın: Hiçbir şey değişmez, şifreniz aynı kalır.


## Email password_changed: the password was changed

password-changed-subject = Şifreniz değiştirildi
password-changed-title = Şifreniz değiştirildi
password-changed-preheader = Değişiklik zamanı: { $changed_at }. Bu işlemi siz yapmadıysanız hemen harekete geçin.
password-changed-lead = { $app_name } hesabınızın şifresi { $changed_at } tarihinde değiştirildi.
password-changed-act = O hâlde hemen yeni bir şifre belirleyin. Böylece açık olan tüm oturumlar da kapatılır.


## Email change_email: to the new address, to prove it

change-email-subject = Yeni e-posta adresinizi onaylayın
change-email-title = Yeni e-posta adresinizi onaylayın
change-email-preheader = Bu adresi { $app_name } uygulamasında kullanmanıza bir adım kaldı. Bağlantı { $lifetime } boyunca geçerlidir.
change-email-lead = Lütfen { $app_name } hesabınızın yeni e-posta adresinin { $new_address } olacağını onaylayın. Bağlantı ve kod yalnızca bir kez kullanılabilir ve { $lifetime } boyunca geçerlidir. Yeni adres onaylanana kadar eskisi geçerli kalır.
change-email-button = Bu adresi onayla
change-email-code = Ya da bu kodu, değişikliği istediğiniz yerde girin:
change-email-note = Bu isteği siz göndermediyseniz bu e-postayı dikkate almayın: Hiçbir şey değişmez.
change-email-footer = Bu e-postayı, birisi { $app_name } uygulamasında bu adresi kendi adresi olarak girdiği için alıyorsunuz.


## Email email_change_requested: to the old address, before the change

email-change-requested-subject = E-posta adresiniz değiştirilmek üzere
email-change-requested-title = E-posta adresiniz değiştirilmek üzere
email-change-requested-preheader = Onaylandığında yeni adres: { $masked_address }. Bunu siz istemediyseniz hemen harekete geçin.
email-change-requested-lead = { $requested_at } tarihinde, { $app_name } hesabınızın e-posta adresini { $masked_address } olarak değiştirmek için bir istek aldık. Değişiklik, yeni adresten onaylandığında geçerli olur.
email-change-requested-act = O hâlde birisi şifrenizi biliyor. Hemen yeni bir şifre belirleyin: Böylece yeni adrese gönderilen bağlantı da geçersiz olur.


## Email email_changed: to the old address, after the change

email-changed-subject = E-posta adresiniz değiştirildi
email-changed-title = E-posta adresiniz değiştirildi
email-changed-preheader = Yeni adres: { $masked_address }. Bu işlemi siz yapmadıysanız 72 saat içinde geri alın.
email-changed-lead = { $app_name } hesabınızın e-posta adresi { $changed_at } tarihinde { $masked_address } olarak değiştirildi.
email-changed-act = O hâlde bu adresi geri yükleyin. Tüm oturumlar kapatılır ve yeni bir şifre belirlemeniz için size bir bağlantı göndeririz.
email-changed-button = Adresimi geri yükle
email-changed-until = Bağlantı yalnızca bir kez kullanılabilir ve 72 saat geçerlidir: { $undo_until } tarihine kadar.
email-changed-undone = Hesap yeniden önceki adresini kullanıyor. Bu adresle artık oturum açamazsınız.


## Email welcome: an administrator sends it to any address

welcome-subject = Uygulamamıza hoş geldiniz
welcome-title = Uygulamaya hoş geldiniz
welcome-preheader = Sizi aramızda görmek güzel.
welcome-lead = Sizi { $app_name } uygulamasında aramızda görmek güzel.
welcome-button = { $app_name } uygulamasını aç


## Every page

page-error-title = Hata: { $title }
page-email-label = E-posta adresi
page-continue = { $app_name } uygulamasına git
page-status = Durum kodu: { $status }


## Pages of links and codes: whose account it is

page-account = { $email } hesabı { $created_at } tarihinde açıldı.
page-account-name = { $email } hesabı (ad: { $name }) { $created_at } tarihinde açıldı.
page-account-username = { $email } hesabı (kullanıcı adı: { $username }) { $created_at } tarihinde açıldı.
page-account-name-username = { $email } hesabı (ad: { $name }, kullanıcı adı: { $username }) { $created_at } tarihinde açıldı.


## Page: verify an address

page-verify-title = E-posta adresinizi doğrulayın
page-verify-lead = Bu hesap sizin mi? Öyleyse düğmeye basın, hesabınız hazır olsun.
page-verify-button = E-posta adresimi doğrula
page-verify-not-me = Ben kaydolmadım
page-verify-code-title = Bu hesap sizin mi?
page-verify-code-lead = Kod doğru. Bu hesap sizinse düğmeye basın, hesabınız hazır olsun.
page-verify-code-button = Evet, bu hesap benim
page-verified-title = Hesap doğrulandı
page-verified-heading = Hesabınız doğrulandı
page-verified-lead = Teşekkür ederiz. Şimdi bu sayfayı kapatıp oturum açabilirsiniz.
page-verified-thanks = Teşekkür ederiz.


## Page: the owner of an address deletes the account that another person made with it

page-not-me-title = Bu hesap silinsin mi?
page-not-me-lead = Siz kaydolmadıysanız adresinizi başka biri kullanmış demektir. Hesabı silmek için düğmeye basın. Bu işlem geri alınamaz.
page-not-me-button = Bu hesabı sil
page-not-me-done-title = Hesap silindi
page-not-me-done-lead = Artık bu hesabı kimse kullanamaz, yapmanız gereken başka bir şey yok. Adresinizle dilediğiniz zaman kaydolabilirsiniz.


## Pages: a link that does not work

page-expired-title = Bu bağlantının süresi doldu
page-expired-lead = Hesabınızın güvenliği için bağlantılar sınırlı bir süre geçerlidir. Yeni bir bağlantı almak için e-posta adresinizi girin.
page-expired-log-in = Hesabınızın güvenliği için bağlantılar sınırlı bir süre geçerlidir. Oturum açın ve e-posta adresinizi değiştirmek için yeniden istekte bulunun.
page-expired-undo = E-posta adresi değişikliği yalnızca 72 saat içinde geri alınabilir. Bu süre doldu, bu yüzden adres şu anki gibi kalır.
page-expired-button = Yeni bağlantı gönder
page-invalid-title = Bu bağlantı çalışmıyor
page-invalid-lead = Bağlantı daha önce kullanılmış ya da eksik. Lütfen e-postadaki bağlantıyı yeniden açın veya yeni bir bağlantı isteyin:
page-invalid-verification = Yeni doğrulama bağlantısı
page-invalid-reset = Şifremi sıfırla


## Pages: ask for a link

page-request-verification-title = Yeni doğrulama bağlantısı isteyin
page-request-verification-lead = Kaydolurken kullandığınız e-posta adresini girin. Adres henüz doğrulanmadıysa bu adrese yeni bir bağlantı ve kod göndeririz.
page-request-reset-title = Şifrenizi sıfırlayın
page-request-reset-lead = Hesabınızın e-posta adresini girin. Yeni bir şifre belirlemeniz için bu adrese bir bağlantı ve kod göndeririz.
page-request-button = Bağlantı gönder
page-request-have-code = Kodum var
page-requested-title = E-postalarınızı kontrol edin
page-requested-verification = Hesap varsa ve henüz doğrulanmadıysa yeni bir bağlantı yolda.
page-requested-reset = Lütfen e-postalarınızı kontrol edin: Şifrenizi nasıl sıfırlayacağınız orada yazıyor.
page-requested-help = Birkaç dakika geçti ama e-posta gelmedi mi? Spam klasörüne bakın ve adresi kontrol edin.


## Pages: the code of an email instead of its link

page-code-heading = Bağlantı veya kod
page-code-lead = E-postada bir bağlantı ve bir kod var. Bağlantıyı açın ya da kodu buraya girin.
page-enter-code-lead = E-postamızdaki 8 haneli kodu girin.
page-code-label = E-postadaki kod
page-code-again = Yeni bağlantı ve kod iste


## Page: a new password

page-reset-title = Yeni bir şifre belirleyin
page-reset-label = Yeni şifre
page-reset-hint = { $min_length } ile { $max_length } karakter arasında. Birbiriyle ilgisi olmayan birkaç kelime iyi bir seçimdir.
page-reset-again-label = Yeni şifre (tekrar)
page-reset-button = Yeni şifreyi kaydet
page-reset-footer = Bu işlem, hesabınızda oturum açmış tüm cihazların oturumunu kapatır.
page-reset-done-title = Şifre değiştirildi
page-reset-done-heading = Yeni şifreniz kaydedildi
page-reset-done-lead = Şimdi bu sayfayı kapatıp yeni şifrenizle oturum açabilirsiniz. Hesabınızda oturum açmış tüm cihazların oturumu kapatıldı.
page-reset-done-continue = Şimdi yeni şifrenizle oturum açın. Hesabınızda oturum açmış tüm cihazların oturumu kapatıldı.


## Pages: another address

page-email-change-title = Yeni e-posta adresinizi onaylayın
page-email-change-lead = Hesabınızda bu adresi kullanmak için düğmeye basın. Bundan sonra bu adresle oturum açarsınız.
page-email-change-not-me = Bu isteği siz göndermediyseniz veya hesap sizin değilse bu sayfayı kapatın: Hiçbir şey değişmez.
page-email-change-button = Bu adresi onayla
page-email-changed-title = E-posta adresi değiştirildi
page-email-changed-heading = E-posta adresiniz değiştirildi
page-email-changed-lead = Bundan sonra yeni adresinizle oturum açın.
page-undo-title = E-posta adresi değişikliğini geri alın
page-undo-lead = { $email } adresini yeniden hesabınızın adresi yapmak için düğmeye basın. Ardından tüm oturumlar kapatılır ve mevcut şifre artık kabul edilmez: Yeni bir şifre belirlemeniz için size bir bağlantı göndeririz.
page-undo-button = Adresimi geri yükle
page-undone-title = Adresiniz geri yüklendi
page-undone-lead = Tüm oturumlar kapatıldı. Yeni şifre bağlantısı için e-postalarınızı kontrol edin: Hesabınızda yalnızca yeni şifreyle oturum açabilirsiniz.


## Pages: no more emails of one kind

page-unsubscribe-title = Bu e-postalar durdurulsun mu?
page-unsubscribe-lead = Düğmeye basın; { $email } adresine artık bu türden e-posta gönderilmesin. Yeni şifre bağlantısı gibi hesabınızla ilgili e-postaları almaya devam edersiniz.
page-unsubscribe-button = Abonelikten çık
page-unsubscribed-title = Abonelikten çıktınız
page-unsubscribed-lead = { $app_name } artık size bu türden e-posta göndermeyecek. Yeni şifre bağlantısı gibi hesabınızla ilgili e-postaları almaya devam edersiniz.


## Forms: what is wrong with a field

field-required = Lütfen tüm alanları doldurun.
field-invalid = Lütfen girdiğiniz bilgileri kontrol edin.
address-empty = Lütfen bir e-posta adresi girin.
address-malformed = Adres, ad@example.org biçiminde olmalıdır.
address-too-long = Adres çok uzun.
address-forbidden = Adres, boşluk veya görünmez karakter içeremez.
address-not-ascii = Adresin @ işaretinden önceki bölümünde yalnızca a ile z arasındaki harfler (Türkçeye özgü olanlar hariç), rakamlar ve noktalama işaretleri bulunabilir.
password-length = Yeni şifrenin uzunluğu { $min_length } ile { $max_length } karakter arasında olmalıdır.
password-forbidden = Yeni şifre denetim karakterleri içeremez.
password-own-words = Yeni şifre, kendi adresinizden veya adınızdan oluşamaz.
password-guessable = Yeni şifreyi tahmin etmek çok kolay: Yaygın olmayan veya daha uzun bir şifre seçin.
code-malformed = Kod 8 haneli olmalıdır.
code-wrong = Kod yanlış veya süresi dolmuş. Kodu kontrol edin ya da yeni bir kod isteyin.
passwords-differ = İki şifre aynı değil.


## Pages: errors, by their code. The second line of some says what to do

error-user_not_found = Bu hesap artık yok
error-user_exists = Bu adres başka bir hesaba ait
error-already_verified = Hesap zaten doğrulanmış
error-insufficient_permissions = Bu işlem için yetkiniz yok
error-account_disabled = Bu hesap devre dışı
error-too_many_requests = Çok fazla istek gönderildi
error-too_many_requests-resolution = Lütfen biraz bekleyip yeniden deneyin.
error-malformed_body = Form okunamıyor
error-validation_error = Form eksik doldurulmuş
error-body_too_large = Form çok büyük
error-request_timeout = İstek çok uzun sürdü
error-not_found = Böyle bir sayfa yok
error-server_error = Bir sorun oluştu
error-server_error-resolution = Lütfen daha sonra yeniden deneyin.
error-unavailable = Hizmet kullanılamıyor
error-unavailable-resolution = Lütfen biraz bekleyip yeniden deneyin.


## The start page: what runs

start-title = Başlangıç
start-heading = { $app_name } çalışıyor
start-version = Sürüm
start-database = Veritabanı
start-queue = Kuyruk
start-queue-in-process = bu işlem içinde
start-emails = E-postalar
start-emails-files = dosyalar
start-docs = API belgeleri
start-inbox = Gelen kutusu
start-health = Hizmet durumu
start-openapi = OpenAPI
start-sign-up = İlk e-postayı almak için kaydolun
start-command = Kaydolma komutu
start-link-inbox = Doğrulama bağlantısı ardından gelen kutusunda görünür.
start-link-sent = Doğrulama bağlantısı ardından bu adrese gönderilir.
