### See en.ftl.


## Every email

greeting = Hallo,
greeting-name = Hallo { $first_name },
mail-link-instead = Werkt de knop niet? Open dan deze link:
mail-was-you = Was jij dit? Dan hoef je niets te doen.
mail-was-not-you = Was jij dit niet?
mail-reset-button = Wachtwoord opnieuw instellen
mail-footer = Je krijgt deze automatische e-mail omdat dit adres wordt gebruikt bij { $app_name }.
support = Vragen? Schrijf naar { $support_email }.


## Times and durations

moment = { $date } om { $time } UTC
duration-seconds = { $count ->
    [one] { $count } seconde
   *[other] { $count } seconden
}
duration-minutes = { $count ->
    [one] { $count } minuut
   *[other] { $count } minuten
}
duration-hours = { $count ->
    [one] { $count } uur
   *[other] { $count } uur
}
duration-days = { $count ->
    [one] { $count } dag
   *[other] { $count } dagen
}


## Email verify_email: after a sign-up, to prove the address

verify-email-subject = Bevestig je e-mailadres
verify-email-title = Bevestig je e-mailadres
verify-email-preheader = Eén klik en je account bij { $app_name } is klaar voor gebruik. De link is { $lifetime } geldig.
verify-email-lead = Welkom bij { $app_name }. Bevestig dat dit jouw e-mailadres is. De link en de code zijn { $lifetime } geldig.
verify-email-button = E-mailadres bevestigen
verify-email-code = Of vul deze code in op de pagina waar je je account hebt aangemaakt:
verify-email-note = Heb je geen account aangemaakt? Dan kun je deze e-mail negeren: zonder de link of de code kan niemand een account met jouw adres gebruiken.
verify-email-footer = Je krijgt deze e-mail omdat iemand met dit adres een account heeft aangemaakt bij { $app_name }.


## Email reset_password: somebody asked for a new password

reset-password-subject = Stel je wachtwoord opnieuw in
reset-password-title = Stel je wachtwoord opnieuw in
reset-password-preheader = Kies een nieuw wachtwoord voor { $app_name }. De link is { $lifetime } geldig.
reset-password-lead = Iemand, hopelijk jij, heeft gevraagd om het wachtwoord van je account bij { $app_name } opnieuw in te stellen. De link en de code werken één keer en zijn { $lifetime } geldig.
reset-password-button = Nieuw wachtwoord kiezen
reset-password-code = Of vul deze code in op de pagina waar je erom hebt gevraagd:
reset-password-note = Heb je hier niet om gevraagd? Dan kun je deze e-mail negeren: er verandert niets en je wachtwoord blijft zoals het is.


## Email password_changed: the password was changed

password-changed-subject = Je wachtwoord is gewijzigd
password-changed-title = Je wachtwoord is gewijzigd
password-changed-preheader = Gewijzigd op { $changed_at }. Was jij dit niet? Onderneem dan meteen actie.
password-changed-lead = Het wachtwoord van je account bij { $app_name } is gewijzigd op { $changed_at }.
password-changed-act = Kies dan meteen een nieuw wachtwoord. Daarmee worden ook alle ingelogde apparaten uitgelogd.


## Email change_email: to the new address, to prove it

change-email-subject = Bevestig je nieuwe e-mailadres
change-email-title = Bevestig je nieuwe e-mailadres
change-email-preheader = Nog één stap om dit adres bij { $app_name } te gebruiken. De link is { $lifetime } geldig.
change-email-lead = Bevestig dat { $new_address } het nieuwe e-mailadres van je account bij { $app_name } moet worden. De link en de code werken één keer en zijn { $lifetime } geldig. Tot je bevestigt, blijft het oude adres gelden.
change-email-button = Dit adres bevestigen
change-email-code = Of vul deze code in op de pagina waar je om de wijziging hebt gevraagd:
change-email-note = Heb je hier niet om gevraagd? Dan kun je deze e-mail negeren: er verandert niets.
change-email-footer = Je krijgt deze e-mail omdat iemand dit adres bij { $app_name } als eigen adres heeft opgegeven.


## Email email_change_requested: to the old address, before the change

email-change-requested-subject = Je e-mailadres gaat veranderen
email-change-requested-title = Je e-mailadres gaat veranderen
email-change-requested-preheader = Nieuw adres: { $masked_address }, zodra dat is bevestigd. Was jij dit niet? Onderneem dan meteen actie.
email-change-requested-lead = Op { $requested_at } heeft iemand gevraagd om het e-mailadres van je account bij { $app_name } te wijzigen in { $masked_address }. De wijziging gaat in zodra die vanaf het nieuwe adres is bevestigd.
email-change-requested-act = Dan kent iemand je wachtwoord. Kies meteen een nieuw wachtwoord: dan werkt ook de link niet meer die naar het nieuwe adres is gestuurd.


## Email email_changed: to the old address, after the change

email-changed-subject = Je e-mailadres is gewijzigd
email-changed-title = Je e-mailadres is gewijzigd
email-changed-preheader = Nieuw adres: { $masked_address }. Was jij dit niet? Maak het dan binnen 72 uur ongedaan.
email-changed-lead = Op { $changed_at } is het e-mailadres van je account bij { $app_name } gewijzigd in { $masked_address }.
email-changed-act = Herstel dan dit adres. Alle apparaten worden uitgelogd en we sturen je een link om een nieuw wachtwoord te kiezen.
email-changed-button = Mijn adres herstellen
email-changed-until = De link werkt één keer en is 72 uur geldig: tot { $undo_until }.
email-changed-undone = Het account heeft zijn vorige adres terug. Met dit adres kun je niet meer inloggen.


## Email welcome: an administrator sends it to any address

welcome-subject = Welkom in onze app
welcome-title = Welkom in de app
welcome-preheader = Fijn dat je er bent.
welcome-lead = Fijn dat je bij { $app_name } bent.
welcome-button = { $app_name } openen


## Every page

page-error-title = Fout: { $title }
page-email-label = E-mailadres
page-continue = Verder naar { $app_name }
page-status = Status { $status }


## Pages of links and codes: whose account it is

page-account = Het account { $email } is aangemaakt op { $created_at }.
page-account-name = Het account { $email } is aangemaakt voor { $name } op { $created_at }.
page-account-username = Het account { $email } is aangemaakt met de gebruikersnaam { $username } op { $created_at }.
page-account-name-username = Het account { $email } is aangemaakt voor { $name } met de gebruikersnaam { $username } op { $created_at }.


## Page: verify an address

page-verify-title = Bevestig je e-mailadres
page-verify-lead = Is dit jouw account? Klik dan op de knop en het is klaar voor gebruik.
page-verify-button = E-mailadres bevestigen
page-verify-not-me = Ik heb geen account aangemaakt
page-verify-code-title = Is dit jouw account?
page-verify-code-lead = De code klopt. Is dit jouw account, klik dan op de knop en het is klaar voor gebruik.
page-verify-code-button = Ja, dit is mijn account
page-verified-title = Account bevestigd
page-verified-heading = Je account is bevestigd
page-verified-lead = Bedankt. Je kunt deze pagina nu sluiten en inloggen.
page-verified-thanks = Bedankt.


## Page: the owner of an address deletes the account that another person made with it

page-not-me-title = Dit account verwijderen?
page-not-me-lead = Heb je geen account aangemaakt? Dan heeft iemand anders jouw adres gebruikt. Klik op de knop om het account te verwijderen. Dit kan niet ongedaan worden gemaakt.
page-not-me-button = Dit account verwijderen
page-not-me-done-title = Het account is verwijderd
page-not-me-done-lead = Niemand kan het nog gebruiken en je hoeft verder niets te doen. Je kunt altijd zelf een account aanmaken met je adres.


## Pages: a link that does not work

page-expired-title = Deze link is verlopen
page-expired-lead = Om je account te beschermen zijn links maar beperkte tijd geldig. Vul je e-mailadres in om een nieuwe te ontvangen.
page-expired-log-in = Om je account te beschermen zijn links maar beperkte tijd geldig. Log in en vraag opnieuw om je e-mailadres te wijzigen.
page-expired-undo = Een wijziging van het e-mailadres kan maar 72 uur ongedaan worden gemaakt. Die tijd is voorbij, dus het adres blijft zoals het nu is.
page-expired-button = Stuur me een nieuwe link
page-invalid-title = Deze link werkt niet
page-invalid-lead = De link is al gebruikt of is niet volledig. Open de link in de e-mail opnieuw of vraag een nieuwe aan:
page-invalid-verification = Nieuwe bevestigingslink
page-invalid-reset = Wachtwoord opnieuw instellen


## Pages: ask for a link

page-request-verification-title = Nieuwe bevestigingslink aanvragen
page-request-verification-lead = Vul het e-mailadres in waarmee je je account hebt aangemaakt. Is het nog niet bevestigd, dan sturen we er een nieuwe link en een code naartoe.
page-request-reset-title = Stel je wachtwoord opnieuw in
page-request-reset-lead = Vul het e-mailadres van je account in. We sturen er een link en een code naartoe om een nieuw wachtwoord te kiezen.
page-request-button = Stuur me een link
page-request-have-code = Ik heb een code
page-requested-title = Check je e-mail
page-requested-verification = Als het account bestaat en niet is bevestigd, is er een nieuwe link onderweg.
page-requested-reset = Check je e-mail voor instructies om je wachtwoord opnieuw in te stellen.
page-requested-help = Na een paar minuten nog geen e-mail? Kijk in de spammap en controleer het adres.


## Pages: the code of an email instead of its link

page-code-heading = Link of code
page-code-lead = In de e-mail staan een link en een code. Open de link of vul hier de code in.
page-enter-code-lead = Vul de code van 8 cijfers uit onze e-mail in.
page-code-label = Code uit de e-mail
page-code-again = Nieuwe link en code aanvragen


## Page: a new password

page-reset-title = Kies een nieuw wachtwoord
page-reset-label = Nieuw wachtwoord
page-reset-hint = { $min_length } tot { $max_length } tekens. Een paar woorden die niets met elkaar te maken hebben, zijn een goede keuze.
page-reset-again-label = Herhaal het nieuwe wachtwoord
page-reset-button = Nieuw wachtwoord opslaan
page-reset-footer = Hiermee worden alle apparaten uitgelogd die op je account zijn ingelogd.
page-reset-done-title = Wachtwoord gewijzigd
page-reset-done-heading = Je nieuwe wachtwoord is opgeslagen
page-reset-done-lead = Je kunt deze pagina nu sluiten en ermee inloggen. Alle apparaten die op je account waren ingelogd, zijn uitgelogd.
page-reset-done-continue = Log er nu mee in. Alle apparaten die op je account waren ingelogd, zijn uitgelogd.


## Pages: another address

page-email-change-title = Bevestig je nieuwe e-mailadres
page-email-change-lead = Klik op de knop om dit adres voor je account te gebruiken. Daarna log je ermee in.
page-email-change-not-me = Heb je hier niet om gevraagd of is het account niet van jou? Sluit dan deze pagina: er verandert niets.
page-email-change-button = Dit adres bevestigen
page-email-changed-title = E-mailadres gewijzigd
page-email-changed-heading = Je e-mailadres is gewijzigd
page-email-changed-lead = Log vanaf nu in met het nieuwe adres.
page-undo-title = Wijziging van e-mailadres ongedaan maken
page-undo-lead = Klik op de knop om van { $email } weer het adres van je account te maken. Alle ingelogde apparaten worden dan uitgelogd en het huidige wachtwoord wordt niet meer geaccepteerd: we sturen je een link om een nieuw wachtwoord te kiezen.
page-undo-button = Mijn adres herstellen
page-undone-title = Je adres is hersteld
page-undone-lead = Alle apparaten zijn uitgelogd. Check je e-mail: daar vind je een link om een nieuw wachtwoord te kiezen. Alleen daarmee kun je weer inloggen.


## Pages: no more emails of one kind

page-unsubscribe-title = Deze e-mails niet meer ontvangen?
page-unsubscribe-lead = Druk op de knop en er gaan geen e-mails van dit soort meer naar { $email }. E-mails over je account, zoals een link om een nieuw wachtwoord te kiezen, blijf je ontvangen.
page-unsubscribe-button = Afmelden
page-unsubscribed-title = Je bent afgemeld
page-unsubscribed-lead = Je krijgt geen e-mails van dit soort meer van { $app_name }. E-mails over je account, zoals een link om een nieuw wachtwoord te kiezen, blijf je ontvangen.


## Forms: what is wrong with a field

field-required = Vul alle velden in.
field-invalid = Controleer wat je hebt ingevuld.
address-empty = Vul een e-mailadres in.
address-malformed = Het adres moet eruitzien als naam@example.org.
address-too-long = Het adres is te lang.
address-forbidden = Het adres mag geen spaties of onzichtbare tekens bevatten.
address-not-ascii = Vóór de @ mag het adres alleen de letters a tot en met z, cijfers en leestekens bevatten.
password-length = Het nieuwe wachtwoord moet { $min_length } tot { $max_length } tekens lang zijn.
password-forbidden = Het nieuwe wachtwoord mag geen stuurtekens bevatten.
password-own-words = Het nieuwe wachtwoord mag niet bestaan uit je eigen adres of naam.
password-guessable = Het nieuwe wachtwoord is te makkelijk te raden: kies een minder gangbaar of een langer wachtwoord.
code-malformed = De code moet uit 8 cijfers bestaan.
code-wrong = De code is onjuist of verlopen. Controleer de code of vraag een nieuwe aan.
passwords-differ = De twee wachtwoorden zijn niet gelijk.


## Pages: errors, by their code. The second line of some says what to do

error-user_not_found = Dit account bestaat niet meer
error-user_exists = Een ander account heeft dit adres
error-already_verified = Het account is al bevestigd
error-insufficient_permissions = Je hebt geen toestemming om dit te doen
error-account_disabled = Dit account is uitgeschakeld
error-too_many_requests = Te veel verzoeken
error-too_many_requests-resolution = Wacht even en probeer het dan opnieuw.
error-malformed_body = Het formulier kan niet worden gelezen
error-validation_error = Het formulier is niet volledig
error-body_too_large = Het formulier is te groot
error-request_timeout = Het verzoek duurde te lang
error-not_found = Deze pagina bestaat niet
error-server_error = Er is iets misgegaan
error-server_error-resolution = Probeer het later opnieuw.
error-unavailable = De dienst is niet beschikbaar
error-unavailable-resolution = Wacht even en probeer het dan opnieuw.


## The start page: what runs

start-title = Start
start-heading = { $app_name } draait
start-version = Versie
start-database = Database
start-queue = Wachtrij
start-queue-in-process = in dit proces
start-emails = E-mails
start-emails-files = bestanden
start-docs = API-documentatie
start-inbox = Inbox
start-health = Servicestatus
start-openapi = OpenAPI
start-sign-up = Maak een account aan om een eerste e-mail te krijgen
start-command = Een opdracht die een account aanmaakt
start-link-inbox = De bevestigingslink staat dan in de inbox.
start-link-sent = De bevestigingslink wordt dan naar dat adres gestuurd.
