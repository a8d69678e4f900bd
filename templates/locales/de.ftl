### See en.ftl.


## Every email

greeting = Guten Tag,
greeting-name = Guten Tag { $first_name },
mail-link-instead = Falls die Schaltfläche nicht funktioniert, öffnen Sie diesen Link:
mail-was-you = Waren Sie das? Dann müssen Sie nichts weiter tun.
mail-was-not-you = Waren Sie das nicht?
mail-reset-button = Passwort zurücksetzen
mail-footer = Sie erhalten diese automatisch versendete E-Mail, weil diese Adresse bei { $app_name } verwendet wird.
support = Fragen? Schreiben Sie an { $support_email }.


## Times and durations

moment = { $date } um { $time } Uhr (UTC)
duration-seconds = { $count ->
    [one] { $count } Sekunde
   *[other] { $count } Sekunden
}
duration-minutes = { $count ->
    [one] { $count } Minute
   *[other] { $count } Minuten
}
duration-hours = { $count ->
    [one] { $count } Stunde
   *[other] { $count } Stunden
}
duration-days = { $count ->
    [one] { $count } Tag
   *[other] { $count } Tage
}


## Email verify_email: after a sign-up, to prove the address

verify-email-subject = Bestätigen Sie Ihre E-Mail-Adresse
verify-email-title = Bestätigen Sie Ihre E-Mail-Adresse
verify-email-preheader = Ein Klick, und Ihr Konto bei { $app_name } ist bereit. Der Link gilt { $lifetime }.
verify-email-lead = Ihr Konto bei { $app_name } ist fast fertig – herzlich willkommen! Bitte bestätigen Sie noch, dass dies Ihre E-Mail-Adresse ist. Link und Code gelten { $lifetime }.
verify-email-button = E-Mail-Adresse bestätigen
verify-email-code = Oder geben Sie diesen Code dort ein, wo Sie sich registriert haben:
verify-email-note = Sie haben sich nicht registriert? Dann ignorieren Sie diese E-Mail: Ohne Link oder Code kann niemand ein Konto mit Ihrer Adresse nutzen.
verify-email-footer = Sie erhalten diese E-Mail, weil sich jemand mit dieser Adresse bei { $app_name } registriert hat.


## Email reset_password: somebody asked for a new password

reset-password-subject = Setzen Sie Ihr Passwort zurück
reset-password-title = Setzen Sie Ihr Passwort zurück
reset-password-preheader = Wählen Sie ein neues Passwort für { $app_name }. Der Link gilt { $lifetime }.
reset-password-lead = Ihr Passwort für { $app_name } soll zurückgesetzt werden. Das hat jemand angefordert, hoffentlich Sie selbst. Link und Code funktionieren nur einmal und gelten { $lifetime }.
reset-password-button = Neues Passwort festlegen
reset-password-code = Oder geben Sie diesen Code dort ein, wo Sie ihn angefordert haben:
reset-password-note = Sie haben das nicht angefordert? Dann ignorieren Sie diese E-Mail: Es ändert sich nichts, und Ihr Passwort bleibt, wie es ist.


## Email password_changed: the password was changed

password-changed-subject = Ihr Passwort wurde geändert
password-changed-title = Ihr Passwort wurde geändert
password-changed-preheader = Geändert am { $changed_at }. Falls Sie das nicht waren, handeln Sie jetzt.
password-changed-lead = Ihr Passwort für { $app_name } wurde am { $changed_at } geändert.
password-changed-act = Dann wählen Sie sofort ein neues Passwort. Damit werden auch alle angemeldeten Geräte abgemeldet.


## Email change_email: to the new address, to prove it

change-email-subject = Bestätigen Sie Ihre neue E-Mail-Adresse
change-email-title = Bestätigen Sie Ihre neue E-Mail-Adresse
change-email-preheader = Noch ein Schritt, um diese Adresse bei { $app_name } zu verwenden. Der Link gilt { $lifetime }.
change-email-lead = { $new_address } soll die neue E-Mail-Adresse Ihres Kontos bei { $app_name } werden. Bitte bestätigen Sie das. Link und Code funktionieren nur einmal und gelten { $lifetime }. Bis zur Bestätigung bleibt es bei der bisherigen Adresse.
change-email-button = Diese Adresse bestätigen
change-email-code = Oder geben Sie diesen Code dort ein, wo Sie die Änderung angefordert haben:
change-email-note = Sie haben das nicht angefordert? Dann ignorieren Sie diese E-Mail: Es ändert sich nichts.
change-email-footer = Sie erhalten diese E-Mail, weil jemand diese Adresse bei { $app_name } als die eigene angegeben hat.


## Email email_change_requested: to the old address, before the change

email-change-requested-subject = Ihre E-Mail-Adresse soll geändert werden
email-change-requested-title = Ihre E-Mail-Adresse soll geändert werden
email-change-requested-preheader = Neue Adresse: { $masked_address }, sobald sie bestätigt ist. Falls Sie das nicht waren, handeln Sie jetzt.
email-change-requested-lead = Ihre E-Mail-Adresse bei { $app_name } soll in { $masked_address } geändert werden. Das hat jemand am { $requested_at } angefordert. Die Änderung gilt, sobald sie über die neue Adresse bestätigt wird.
email-change-requested-act = Dann kennt jemand Ihr Passwort. Wählen Sie sofort ein neues: Damit wird auch der Link wertlos, der an die neue Adresse ging.


## Email email_changed: to the old address, after the change

email-changed-subject = Ihre E-Mail-Adresse wurde geändert
email-changed-title = Ihre E-Mail-Adresse wurde geändert
email-changed-preheader = Neue Adresse: { $masked_address }. Falls Sie das nicht waren, machen Sie es innerhalb von 72 Stunden rückgängig.
email-changed-lead = Ihre E-Mail-Adresse bei { $app_name } wurde am { $changed_at } in { $masked_address } geändert.
email-changed-act = Dann stellen Sie diese Adresse wieder her. Alle Geräte werden abgemeldet, und Sie erhalten von uns einen Link für ein neues Passwort.
email-changed-button = Adresse wiederherstellen
email-changed-until = Der Link funktioniert einmal und gilt 72 Stunden: bis zum { $undo_until }.
email-changed-undone = Das Konto hat wieder seine frühere Adresse. Mit dieser hier können Sie sich nicht mehr anmelden.


## Email welcome: an administrator sends it to any address

welcome-subject = Willkommen in unserer App
welcome-title = Willkommen in der App
welcome-preheader = Sie sind jetzt dabei. Das freut uns!
welcome-lead = Schön, dass Sie bei { $app_name } dabei sind.
welcome-button = { $app_name } öffnen


## Every page

page-error-title = Fehler: { $title }
page-email-label = E-Mail-Adresse
page-continue = Weiter zu { $app_name }
page-status = Status { $status }


## Pages of links and codes: whose account it is

page-account = Das Konto { $email } wurde am { $created_at } angelegt.
page-account-name = Das Konto { $email } wurde am { $created_at } für { $name } angelegt.
page-account-username = Das Konto { $email } wurde am { $created_at } mit dem Benutzernamen { $username } angelegt.
page-account-name-username = Das Konto { $email } wurde am { $created_at } für { $name } mit dem Benutzernamen { $username } angelegt.


## Page: verify an address

page-verify-title = Bestätigen Sie Ihre E-Mail-Adresse
page-verify-lead = Ist das Ihr Konto? Dann klicken Sie auf die Schaltfläche, und es ist bereit.
page-verify-button = E-Mail-Adresse bestätigen
page-verify-not-me = Ich habe mich nicht registriert
page-verify-code-title = Ist das Ihr Konto?
page-verify-code-lead = Der Code stimmt. Wenn das Ihr Konto ist, klicken Sie auf die Schaltfläche, und es ist bereit.
page-verify-code-button = Ja, das ist mein Konto
page-verified-title = Konto bestätigt
page-verified-heading = Ihr Konto ist bestätigt
page-verified-lead = Vielen Dank. Sie können diese Seite jetzt schließen und sich anmelden.
page-verified-thanks = Vielen Dank.


## Page: the owner of an address deletes the account that another person made with it

page-not-me-title = Dieses Konto löschen?
page-not-me-lead = Sie haben sich nicht registriert? Dann hat jemand anderes Ihre Adresse verwendet. Klicken Sie auf die Schaltfläche, um das Konto zu löschen. Das lässt sich nicht rückgängig machen.
page-not-me-button = Dieses Konto löschen
page-not-me-done-title = Das Konto wurde gelöscht
page-not-me-done-lead = Niemand kann es mehr nutzen, und Sie müssen nichts weiter tun. Sie können sich jederzeit selbst mit Ihrer Adresse registrieren.


## Pages: a link that does not work

page-expired-title = Dieser Link ist abgelaufen
page-expired-lead = Zum Schutz Ihres Kontos gelten Links nur für begrenzte Zeit. Geben Sie Ihre E-Mail-Adresse ein, um einen neuen zu erhalten.
page-expired-log-in = Zum Schutz Ihres Kontos gelten Links nur für begrenzte Zeit. Melden Sie sich an und fordern Sie die Änderung Ihrer E-Mail-Adresse erneut an.
page-expired-undo = Eine Änderung der E-Mail-Adresse lässt sich nur 72 Stunden lang rückgängig machen. Diese Zeit ist vorbei, daher bleibt es bei der jetzigen Adresse.
page-expired-button = Neuen Link anfordern
page-invalid-title = Dieser Link funktioniert nicht
page-invalid-lead = Er wurde bereits verwendet oder ist unvollständig. Bitte öffnen Sie den Link in der E-Mail noch einmal oder fordern Sie einen neuen an:
page-invalid-verification = Neuer Bestätigungslink
page-invalid-reset = Passwort zurücksetzen


## Pages: ask for a link

page-request-verification-title = Neuen Bestätigungslink anfordern
page-request-verification-lead = Geben Sie die E-Mail-Adresse ein, mit der Sie sich registriert haben. Falls sie noch nicht bestätigt ist, senden wir einen neuen Link und einen Code dorthin.
page-request-reset-title = Setzen Sie Ihr Passwort zurück
page-request-reset-lead = Geben Sie die E-Mail-Adresse Ihres Kontos ein. Wir senden einen Link und einen Code dorthin, mit denen Sie ein neues Passwort wählen können.
page-request-button = Link anfordern
page-request-have-code = Ich habe einen Code
page-requested-title = Sehen Sie in Ihrem Postfach nach
page-requested-verification = Falls das Konto existiert und noch nicht bestätigt ist, ist ein neuer Link unterwegs.
page-requested-reset = Sehen Sie in Ihrem Postfach nach: Dort finden Sie eine Anleitung, um Ihr Passwort zurückzusetzen.
page-requested-help = Nach einigen Minuten noch keine E-Mail da? Sehen Sie im Spam-Ordner nach und prüfen Sie die Adresse.


## Pages: the code of an email instead of its link

page-code-heading = Link oder Code
page-code-lead = Die E-Mail enthält einen Link und einen Code. Öffnen Sie den Link oder geben Sie den Code hier ein.
page-enter-code-lead = Geben Sie den 8-stelligen Code aus unserer E-Mail ein.
page-code-label = Code aus der E-Mail
page-code-again = Neuen Link und Code anfordern


## Page: a new password

page-reset-title = Wählen Sie ein neues Passwort
page-reset-label = Neues Passwort
page-reset-hint = { $min_length } bis { $max_length } Zeichen. Gut sind mehrere Wörter, die nichts miteinander zu tun haben.
page-reset-again-label = Neues Passwort wiederholen
page-reset-button = Neues Passwort speichern
page-reset-footer = Damit werden alle Geräte abgemeldet, die in Ihrem Konto angemeldet sind.
page-reset-done-title = Passwort geändert
page-reset-done-heading = Ihr neues Passwort ist gespeichert
page-reset-done-lead = Sie können diese Seite jetzt schließen und sich damit anmelden. Alle Geräte, die in Ihrem Konto angemeldet waren, wurden abgemeldet.
page-reset-done-continue = Melden Sie sich jetzt damit an. Alle Geräte, die in Ihrem Konto angemeldet waren, wurden abgemeldet.


## Pages: another address

page-email-change-title = Bestätigen Sie Ihre neue E-Mail-Adresse
page-email-change-lead = Klicken Sie auf die Schaltfläche, um diese Adresse für Ihr Konto zu verwenden. Sie melden sich dann damit an.
page-email-change-not-me = Sie haben das nicht angefordert, oder das Konto ist nicht Ihres? Dann schließen Sie diese Seite: Es ändert sich nichts.
page-email-change-button = Diese Adresse bestätigen
page-email-changed-title = E-Mail-Adresse geändert
page-email-changed-heading = Ihre E-Mail-Adresse ist geändert
page-email-changed-lead = Melden Sie sich von jetzt an mit der neuen Adresse an.
page-undo-title = Adressänderung rückgängig machen
page-undo-lead = Klicken Sie auf die Schaltfläche, um { $email } wieder zur Adresse Ihres Kontos zu machen. Dann werden alle Geräte abgemeldet, und das jetzige Passwort gilt nicht mehr: Wir senden Ihnen einen Link für ein neues.
page-undo-button = Adresse wiederherstellen
page-undone-title = Ihre Adresse ist wiederhergestellt
page-undone-lead = Alle Geräte sind abgemeldet. In Ihrem Postfach finden Sie einen Link für ein neues Passwort: Nur mit dem neuen können Sie sich wieder anmelden.


## Pages: no more emails of one kind

page-unsubscribe-title = Diese Nachrichten abbestellen?
page-unsubscribe-lead = Klicken Sie auf die Schaltfläche, dann gehen keine E-Mails dieser Art mehr an { $email }. E-Mails zu Ihrem Konto, zum Beispiel ein Link für ein neues Passwort, erhalten Sie weiterhin.
page-unsubscribe-button = E-Mails abbestellen
page-unsubscribed-title = E-Mails abbestellt
page-unsubscribed-lead = Sie erhalten keine E-Mails dieser Art mehr von { $app_name }. E-Mails zu Ihrem Konto, zum Beispiel ein Link für ein neues Passwort, erhalten Sie weiterhin.


## Forms: what is wrong with a field

field-required = Bitte füllen Sie alle Felder aus.
field-invalid = Bitte prüfen Sie Ihre Eingabe.
address-empty = Bitte geben Sie eine E-Mail-Adresse ein.
address-malformed = Die Adresse muss die Form name@example.org haben.
address-too-long = Die Adresse ist zu lang.
address-forbidden = Die Adresse darf keine Leerzeichen oder unsichtbaren Zeichen enthalten.
address-not-ascii = Vor dem @ darf die Adresse nur die Buchstaben a bis z, Ziffern und Satzzeichen enthalten.
password-length = Das neue Passwort muss { $min_length } bis { $max_length } Zeichen lang sein.
password-forbidden = Das neue Passwort darf keine Steuerzeichen enthalten.
password-own-words = Das neue Passwort darf nicht aus Ihrer Adresse oder Ihrem Namen bestehen.
password-guessable = Das neue Passwort ist zu leicht zu erraten: Wählen Sie ein weniger gängiges oder ein längeres.
code-malformed = Der Code muss aus 8 Ziffern bestehen.
code-wrong = Der Code ist falsch oder abgelaufen. Prüfen Sie ihn oder fordern Sie einen neuen an.
passwords-differ = Die beiden Passwörter stimmen nicht überein.


## Pages: errors, by their code. The second line of some says what to do

error-user_not_found = Dieses Konto gibt es nicht mehr
error-user_exists = Diese Adresse gehört zu einem anderen Konto
error-already_verified = Das Konto ist bereits bestätigt
error-insufficient_permissions = Dazu sind Sie nicht berechtigt
error-account_disabled = Dieses Konto ist deaktiviert
error-too_many_requests = Zu viele Anfragen
error-too_many_requests-resolution = Bitte warten Sie einen Moment und versuchen Sie es dann noch einmal.
error-malformed_body = Das Formular kann nicht gelesen werden
error-validation_error = Das Formular ist unvollständig
error-body_too_large = Das Formular ist zu groß
error-request_timeout = Die Anfrage hat zu lange gedauert
error-not_found = Diese Seite gibt es nicht
error-server_error = Etwas ist schiefgegangen
error-server_error-resolution = Bitte versuchen Sie es später noch einmal.
error-unavailable = Der Dienst ist nicht verfügbar
error-unavailable-resolution = Bitte warten Sie einen Moment und versuchen Sie es dann noch einmal.


## The start page: what runs

start-title = Start
start-heading = { $app_name } läuft
start-version = Version
start-database = Datenbank
start-queue = Warteschlange
start-queue-in-process = in diesem Prozess
start-emails = E-Mails
start-emails-files = Dateien
start-docs = API-Dokumentation
start-inbox = Posteingang
start-health = Systemzustand
start-openapi = OpenAPI
start-sign-up = Registrieren Sie sich, um eine erste E-Mail zu erhalten
start-command = Ein Befehl, der ein Konto registriert
start-link-inbox = Der Bestätigungslink liegt dann im Posteingang.
start-link-sent = Der Bestätigungslink wird dann an diese Adresse gesendet.
