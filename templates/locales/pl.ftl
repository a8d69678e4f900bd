### See en.ftl.


## Every email

greeting = Dzień dobry!
greeting-name = Dzień dobry, { $first_name }!
mail-link-instead = Jeśli przycisk nie działa, otwórz ten link:
mail-was-you = To Ty? W takim razie nie musisz nic robić.
mail-was-not-you = To nie Ty?
mail-reset-button = Zresetuj moje hasło
mail-footer = Otrzymujesz tę wiadomość, ponieważ ten adres jest używany w aplikacji { $app_name }. Wiadomość wysłano automatycznie.
support = Masz pytania? Napisz na adres { $support_email }.


## Times and durations

moment = { $date } o { $time } UTC
duration-seconds = { $count ->
    [one] { $count } sekundę
    [few] { $count } sekundy
    [many] { $count } sekund
   *[other] { $count } sekundy
}
duration-minutes = { $count ->
    [one] { $count } minutę
    [few] { $count } minuty
    [many] { $count } minut
   *[other] { $count } minuty
}
duration-hours = { $count ->
    [one] { $count } godzinę
    [few] { $count } godziny
    [many] { $count } godzin
   *[other] { $count } godziny
}
duration-days = { $count ->
    [one] { $count } dzień
    [few] { $count } dni
    [many] { $count } dni
   *[other] { $count } dnia
}


## Email verify_email: after a sign-up, to prove the address

verify-email-subject = Potwierdź swój adres e-mail
verify-email-title = Potwierdź swój adres e-mail
verify-email-preheader = Wystarczy jedno kliknięcie, a konto { $app_name } będzie gotowe. Link jest ważny przez { $lifetime }.
verify-email-lead = Witamy w aplikacji { $app_name }. Potwierdź, że to Twój adres e-mail. Link i kod są ważne przez { $lifetime }.
verify-email-button = Potwierdź adres e-mail
verify-email-code = Możesz też wpisać ten kod tam, gdzie zakładasz konto:
verify-email-note = To nie Ty zakładasz konto? Zignoruj tę wiadomość: bez linku lub kodu nikt nie może korzystać z konta założonego na Twój adres.
verify-email-footer = Otrzymujesz tę wiadomość, ponieważ ktoś podał ten adres przy zakładaniu konta { $app_name }.


## Email reset_password: somebody asked for a new password

reset-password-subject = Zresetuj swoje hasło
reset-password-title = Zresetuj swoje hasło
reset-password-preheader = Ustaw nowe hasło do konta { $app_name }. Link jest ważny przez { $lifetime }.
reset-password-lead = Otrzymaliśmy prośbę o zresetowanie hasła do Twojego konta { $app_name } – mamy nadzieję, że od Ciebie. Link i kod działają tylko raz i są ważne przez { $lifetime }.
reset-password-button = Ustaw nowe hasło
reset-password-code = Możesz też wpisać ten kod tam, gdzie resetujesz hasło:
reset-password-note = To nie Twoja prośba? Zignoruj tę wiadomość: nic się nie zmieni, a hasło pozostanie takie jak dotąd.


## Email password_changed: the password was changed

password-changed-subject = Twoje hasło zostało zmienione
password-changed-title = Twoje hasło zostało zmienione
password-changed-preheader = Hasło zmieniono { $changed_at }. Jeśli to nie Ty, zareaguj od razu.
password-changed-lead = Hasło do Twojego konta { $app_name } zostało zmienione { $changed_at }.
password-changed-act = W takim razie natychmiast ustaw nowe hasło. Spowoduje to też wylogowanie ze wszystkich urządzeń.


## Email change_email: to the new address, to prove it

change-email-subject = Potwierdź nowy adres e-mail
change-email-title = Potwierdź nowy adres e-mail
change-email-preheader = Jeszcze jeden krok, aby używać tego adresu w aplikacji { $app_name }. Link jest ważny przez { $lifetime }.
change-email-lead = Potwierdź, że { $new_address } ma być nowym adresem e-mail Twojego konta { $app_name }. Link i kod działają tylko raz i są ważne przez { $lifetime }. Do czasu potwierdzenia obowiązuje dotychczasowy adres.
change-email-button = Potwierdź ten adres
change-email-code = Możesz też wpisać ten kod tam, gdzie zmieniasz adres:
change-email-note = To nie Twoja prośba? Zignoruj tę wiadomość: nic się nie zmieni.
change-email-footer = Otrzymujesz tę wiadomość, ponieważ ktoś podał ten adres jako swój w aplikacji { $app_name }.


## Email email_change_requested: to the old address, before the change

email-change-requested-subject = Twój adres e-mail ma zostać zmieniony
email-change-requested-title = Twój adres e-mail ma zostać zmieniony
email-change-requested-preheader = Nowy adres, gdy zostanie potwierdzony: { $masked_address }. Jeśli to nie Ty, zareaguj od razu.
email-change-requested-lead = { $requested_at } otrzymaliśmy prośbę o zmianę adresu e-mail Twojego konta { $app_name } na { $masked_address }. Zmiana nastąpi, gdy zostanie potwierdzona z nowego adresu.
email-change-requested-act = W takim razie ktoś zna Twoje hasło. Natychmiast ustaw nowe: wtedy link wysłany na nowy adres też przestanie działać.


## Email email_changed: to the old address, after the change

email-changed-subject = Twój adres e-mail został zmieniony
email-changed-title = Twój adres e-mail został zmieniony
email-changed-preheader = Nowy adres: { $masked_address }. Jeśli to nie Ty, cofnij zmianę w ciągu 72 godzin.
email-changed-lead = { $changed_at } adres e-mail Twojego konta { $app_name } został zmieniony na { $masked_address }.
email-changed-act = W takim razie przywróć ten adres. Nastąpi wylogowanie ze wszystkich urządzeń, a my wyślemy Ci link do ustawienia nowego hasła.
email-changed-button = Przywróć mój adres
email-changed-until = Link działa tylko raz i jest ważny przez 72 godziny: wygaśnie { $undo_until }.
email-changed-undone = Konto ma znów swój poprzedni adres. Z użyciem tego adresu nie można się już zalogować.


## Email welcome: an administrator sends it to any address

welcome-subject = Witamy w naszej aplikacji
welcome-title = Witamy w aplikacji
welcome-preheader = Cieszymy się, że jesteś z nami.
welcome-lead = Cieszymy się, że korzystasz z aplikacji { $app_name }.
welcome-button = Otwórz aplikację { $app_name }


## Every page

page-error-title = Błąd: { $title }
page-email-label = Adres e-mail
page-continue = Dalej do aplikacji { $app_name }
page-status = Status { $status }


## Pages of links and codes: whose account it is

page-account = Konto { $email } założono { $created_at }.
page-account-name = Konto { $email } (imię i nazwisko: { $name }) założono { $created_at }.
page-account-username = Konto { $email } (nazwa użytkownika: { $username }) założono { $created_at }.
page-account-name-username = Konto { $email } (imię i nazwisko: { $name }, nazwa użytkownika: { $username }) założono { $created_at }.


## Page: verify an address

page-verify-title = Potwierdź swój adres e-mail
page-verify-lead = Czy to Twoje konto? Naciśnij przycisk, a będzie gotowe.
page-verify-button = Potwierdź adres e-mail
page-verify-not-me = To nie moje konto
page-verify-code-title = Czy to Twoje konto?
page-verify-code-lead = Kod jest poprawny. Jeśli to Twoje konto, naciśnij przycisk, a będzie gotowe.
page-verify-code-button = Tak, to moje konto
page-verified-title = Konto potwierdzone
page-verified-heading = Twoje konto jest potwierdzone
page-verified-lead = Dziękujemy. Możesz teraz zamknąć tę stronę i się zalogować.
page-verified-thanks = Dziękujemy.


## Page: the owner of an address deletes the account that another person made with it

page-not-me-title = Usunąć to konto?
page-not-me-lead = To nie Twoje konto? W takim razie ktoś inny użył Twojego adresu. Naciśnij przycisk, aby usunąć konto. Tej operacji nie można cofnąć.
page-not-me-button = Usuń to konto
page-not-me-done-title = Konto zostało usunięte
page-not-me-done-lead = Nikt nie może już z niego korzystać i nie musisz robić nic więcej. W każdej chwili możesz założyć konto na swój adres.


## Pages: a link that does not work

page-expired-title = Ten link wygasł
page-expired-lead = Dla bezpieczeństwa Twojego konta linki działają przez ograniczony czas. Podaj adres e-mail, aby otrzymać nowy link.
page-expired-log-in = Dla bezpieczeństwa Twojego konta linki działają przez ograniczony czas. Zaloguj się i ponownie poproś o zmianę adresu e-mail.
page-expired-undo = Zmianę adresu e-mail można cofnąć tylko w ciągu 72 godzin. Ten czas minął, więc adres pozostaje taki, jaki jest teraz.
page-expired-button = Wyślij mi nowy link
page-invalid-title = Ten link nie działa
page-invalid-lead = Został już użyty albo jest niepełny. Otwórz link z wiadomości jeszcze raz lub poproś o nowy:
page-invalid-verification = Nowy link potwierdzający
page-invalid-reset = Zresetuj moje hasło


## Pages: ask for a link

page-request-verification-title = Poproś o nowy link potwierdzający
page-request-verification-lead = Podaj adres e-mail użyty przy zakładaniu konta. Jeśli nie jest jeszcze potwierdzony, wyślemy na niego nowy link i kod.
page-request-reset-title = Zresetuj swoje hasło
page-request-reset-lead = Podaj adres e-mail swojego konta. Wyślemy na niego link i kod do ustawienia nowego hasła.
page-request-button = Wyślij mi link
page-request-have-code = Mam kod
page-requested-title = Sprawdź skrzynkę e-mail
page-requested-verification = Jeśli konto istnieje i nie jest potwierdzone, nowy link jest już w drodze.
page-requested-reset = Sprawdź skrzynkę e-mail: znajdziesz tam instrukcje resetowania hasła.
page-requested-help = Po kilku minutach nadal nie ma wiadomości? Zajrzyj do folderu ze spamem i sprawdź, czy adres jest poprawny.


## Pages: the code of an email instead of its link

page-code-heading = Link lub kod
page-code-lead = Wiadomość zawiera link i kod. Otwórz link albo wpisz kod tutaj.
page-enter-code-lead = Wpisz 8-cyfrowy kod z naszej wiadomości e-mail.
page-code-label = Kod z wiadomości e-mail
page-code-again = Poproś o nowy link i kod


## Page: a new password

page-reset-title = Ustaw nowe hasło
page-reset-label = Nowe hasło
page-reset-hint = Od { $min_length } do { $max_length } znaków. Dobrym wyborem jest kilka słów, które nie mają ze sobą związku.
page-reset-again-label = Powtórz nowe hasło
page-reset-button = Zapisz nowe hasło
page-reset-footer = Spowoduje to wylogowanie wszystkich urządzeń zalogowanych na Twoje konto.
page-reset-done-title = Hasło zmienione
page-reset-done-heading = Twoje nowe hasło jest zapisane
page-reset-done-lead = Możesz teraz zamknąć tę stronę i zalogować się, używając nowego hasła. Wszystkie urządzenia zalogowane na Twoje konto zostały wylogowane.
page-reset-done-continue = Zaloguj się teraz, używając nowego hasła. Wszystkie urządzenia zalogowane na Twoje konto zostały wylogowane.


## Pages: another address

page-email-change-title = Potwierdź nowy adres e-mail
page-email-change-lead = Naciśnij przycisk, aby używać tego adresu na swoim koncie. Od tej pory będzie on służyć do logowania.
page-email-change-not-me = To nie Twoja prośba lub nie Twoje konto? Zamknij tę stronę: nic się nie zmieni.
page-email-change-button = Potwierdź ten adres
page-email-changed-title = Adres e-mail zmieniony
page-email-changed-heading = Twój adres e-mail jest zmieniony
page-email-changed-lead = Od teraz loguj się, używając nowego adresu.
page-undo-title = Cofnij zmianę adresu e-mail
page-undo-lead = Naciśnij przycisk, aby { $email } znów był adresem Twojego konta. Nastąpi wtedy wylogowanie ze wszystkich urządzeń, a obecne hasło przestanie działać: wyślemy Ci link do ustawienia nowego.
page-undo-button = Przywróć mój adres
page-undone-title = Twój adres został przywrócony
page-undone-lead = Nastąpiło wylogowanie ze wszystkich urządzeń. Sprawdź skrzynkę e-mail: znajdziesz tam link do ustawienia nowego hasła. Tylko z nowym hasłem można się zalogować.


## Pages: no more emails of one kind

page-unsubscribe-title = Nie otrzymywać takich wiadomości?
page-unsubscribe-lead = Naciśnij przycisk, a na adres { $email } nie będą wysyłane kolejne wiadomości tego rodzaju. Nadal będziesz otrzymywać wiadomości dotyczące Twojego konta, na przykład link do ustawienia nowego hasła.
page-unsubscribe-button = Wypisz mnie
page-unsubscribed-title = Wypisano
page-unsubscribed-lead = Nie będziesz już otrzymywać wiadomości tego rodzaju z aplikacji { $app_name }. Nadal będziesz otrzymywać wiadomości dotyczące Twojego konta, na przykład link do ustawienia nowego hasła.


## Forms: what is wrong with a field

field-required = Wypełnij wszystkie pola.
field-invalid = Sprawdź wprowadzone dane.
address-empty = Podaj adres e-mail.
address-malformed = Adres musi mieć postać nazwa@example.org.
address-too-long = Adres jest za długi.
address-forbidden = Adres nie może zawierać spacji ani niewidocznych znaków.
address-not-ascii = Przed znakiem @ adres może zawierać tylko litery od a do z (bez polskich znaków), cyfry i znaki interpunkcyjne.
password-length = Nowe hasło musi mieć od { $min_length } do { $max_length } znaków.
password-forbidden = Nowe hasło nie może zawierać znaków sterujących.
password-own-words = Nowe hasło nie może składać się z Twojego adresu, imienia ani nazwiska.
password-guessable = Nowe hasło jest zbyt łatwe do odgadnięcia: wybierz mniej popularne lub dłuższe.
code-malformed = Kod musi składać się z 8 cyfr.
code-wrong = Kod jest błędny lub wygasł. Sprawdź go albo poproś o nowy.
passwords-differ = Podane hasła nie są takie same.


## Pages: errors, by their code. The second line of some says what to do

error-user_not_found = To konto już nie istnieje
error-user_exists = Ten adres należy do innego konta
error-already_verified = Konto jest już potwierdzone
error-insufficient_permissions = Nie masz do tego uprawnień
error-account_disabled = To konto jest wyłączone
error-too_many_requests = Zbyt wiele żądań
error-too_many_requests-resolution = Odczekaj chwilę i spróbuj ponownie.
error-malformed_body = Nie można odczytać formularza
error-validation_error = Formularz jest niekompletny
error-body_too_large = Formularz jest za duży
error-request_timeout = Żądanie trwało zbyt długo
error-not_found = Ta strona nie istnieje
error-server_error = Coś poszło nie tak
error-server_error-resolution = Spróbuj ponownie później.
error-unavailable = Usługa jest niedostępna
error-unavailable-resolution = Odczekaj chwilę i spróbuj ponownie.


## The start page: what runs

start-title = Start
start-heading = Aplikacja { $app_name } działa
start-version = Wersja
start-database = Baza danych
start-queue = Kolejka
start-queue-in-process = w tym procesie
start-emails = Wiadomości e-mail
start-emails-files = pliki
start-docs = Dokumentacja API
start-inbox = Skrzynka odbiorcza
start-health = Stan usługi
start-openapi = OpenAPI
start-sign-up = Załóż konto, aby otrzymać pierwszą wiadomość
start-command = Polecenie, które zakłada konto
start-link-inbox = Link potwierdzający pojawi się wtedy w skrzynce odbiorczej.
start-link-sent = Link potwierdzający zostanie wtedy wysłany na ten adres.
