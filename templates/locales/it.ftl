### See en.ftl.


## Every email

greeting = Ciao,
greeting-name = Ciao { $first_name },
mail-link-instead = Se il pulsante non funziona, apri questo link:
mail-was-you = Hai richiesto tu questa modifica? Allora non devi fare nulla.
mail-was-not-you = Non hai richiesto tu questa modifica?
mail-reset-button = Reimposta la mia password
mail-footer = Ricevi questa email automatica perché questo indirizzo è usato con { $app_name }.
support = Domande? Scrivi a { $support_email }.


## Times and durations

moment = { $date } alle ore { $time } UTC
duration-seconds = { $count ->
    [one] { $count } secondo
    [many] { $count } di secondi
   *[other] { $count } secondi
}
duration-minutes = { $count ->
    [one] { $count } minuto
    [many] { $count } di minuti
   *[other] { $count } minuti
}
duration-hours = { $count ->
    [one] { $count } ora
    [many] { $count } di ore
   *[other] { $count } ore
}
duration-days = { $count ->
    [one] { $count } giorno
    [many] { $count } di giorni
   *[other] { $count } giorni
}


## Email verify_email: after a sign-up, to prove the address

verify-email-subject = Verifica il tuo indirizzo email
verify-email-title = Verifica il tuo indirizzo email
verify-email-preheader = Un clic e il tuo account { $app_name } è pronto. Il link è valido per { $lifetime }.
verify-email-lead = Ti diamo il benvenuto su { $app_name }. Conferma che questo è il tuo indirizzo email. Il link e il codice sono validi per { $lifetime }.
verify-email-button = Verifica il mio indirizzo
verify-email-code = Oppure inserisci questo codice nella pagina in cui hai creato l’account:
verify-email-note = Non hai creato un account? Allora ignora questa email: senza il link o il codice, nessuno può usare un account con il tuo indirizzo.
verify-email-footer = Ricevi questa email perché qualcuno ha creato un account { $app_name } con questo indirizzo.


## Email reset_password: somebody asked for a new password

reset-password-subject = Reimposta la tua password
reset-password-title = Reimposta la tua password
reset-password-preheader = Scegli una nuova password per { $app_name }. Il link è valido per { $lifetime }.
reset-password-lead = Qualcuno (speriamo tu) ha chiesto di reimpostare la password del tuo account { $app_name }. Il link e il codice funzionano una sola volta e sono validi per { $lifetime }.
reset-password-button = Scegli una nuova password
reset-password-code = Oppure inserisci questo codice nella pagina in cui lo hai richiesto:
reset-password-note = Non l’hai richiesto tu? Allora ignora questa email: non cambia nulla e la tua password resta quella di prima.


## Email password_changed: the password was changed

password-changed-subject = La tua password è stata modificata
password-changed-title = La tua password è stata modificata
password-changed-preheader = Modificata in data { $changed_at }. Se non l’hai richiesto tu, agisci subito.
password-changed-lead = La password del tuo account { $app_name } è stata modificata in data { $changed_at }.
password-changed-act = Allora scegli subito una nuova password: così verranno disconnessi anche tutti i dispositivi collegati.


## Email change_email: to the new address, to prove it

change-email-subject = Conferma il tuo nuovo indirizzo email
change-email-title = Conferma il tuo nuovo indirizzo email
change-email-preheader = Ancora un passo per usare questo indirizzo con { $app_name }. Il link è valido per { $lifetime }.
change-email-lead = Conferma che { $new_address } deve diventare il nuovo indirizzo email del tuo account { $app_name }. Il link e il codice funzionano una sola volta e sono validi per { $lifetime }. Fino alla conferma resta il vecchio indirizzo.
change-email-button = Conferma questo indirizzo
change-email-code = Oppure inserisci questo codice nella pagina in cui hai richiesto la modifica:
change-email-note = Non l’hai richiesto tu? Allora ignora questa email: non cambia nulla.
change-email-footer = Ricevi questa email perché qualcuno ha indicato questo indirizzo come proprio su { $app_name }.


## Email email_change_requested: to the old address, before the change

email-change-requested-subject = Il tuo indirizzo email sta per cambiare
email-change-requested-title = Il tuo indirizzo email sta per cambiare
email-change-requested-preheader = Il nuovo sarà { $masked_address }, dopo la conferma. Se non l’hai richiesto tu, agisci subito.
email-change-requested-lead = In data { $requested_at } qualcuno ha chiesto di sostituire l’indirizzo email del tuo account { $app_name } con { $masked_address }. La modifica avrà effetto quando verrà confermata dal nuovo indirizzo.
email-change-requested-act = Allora qualcuno conosce la tua password. Scegline subito una nuova: così anche il link inviato al nuovo indirizzo non servirà più a nulla.


## Email email_changed: to the old address, after the change

email-changed-subject = Il tuo indirizzo email è stato modificato
email-changed-title = Il tuo indirizzo email è stato modificato
email-changed-preheader = Il nuovo è { $masked_address }. Se non hai richiesto tu la modifica, annullala entro 72 ore.
email-changed-lead = In data { $changed_at } l’indirizzo email del tuo account { $app_name } è stato sostituito con { $masked_address }.
email-changed-act = Allora ripristina questo indirizzo. Tutti i dispositivi verranno disconnessi e ti invieremo un link per scegliere una nuova password.
email-changed-button = Ripristina il mio indirizzo
email-changed-until = Il link funziona una sola volta ed è valido per 72 ore. Scadenza: { $undo_until }.
email-changed-undone = L’account ha di nuovo il suo indirizzo precedente. Con questo non puoi più accedere.


## Email welcome: an administrator sends it to any address

welcome-subject = Ti diamo il benvenuto nella nostra app
welcome-title = Ti diamo il benvenuto nell’app
welcome-preheader = È un piacere averti con noi.
welcome-lead = È un piacere averti con noi su { $app_name }.
welcome-button = Apri { $app_name }


## Every page

page-error-title = Errore: { $title }
page-email-label = Indirizzo email
page-continue = Continua su { $app_name }
page-status = Stato { $status }


## Pages of links and codes: whose account it is

page-account = L’account { $email } è stato creato in data { $created_at }.
page-account-name = L’account { $email } è stato creato per { $name } in data { $created_at }.
page-account-username = L’account { $email } è stato creato con il nome utente { $username } in data { $created_at }.
page-account-name-username = L’account { $email } è stato creato per { $name } con il nome utente { $username } in data { $created_at }.


## Page: verify an address

page-verify-title = Verifica il tuo indirizzo email
page-verify-lead = È il tuo account? Allora premi il pulsante e sarà pronto.
page-verify-button = Verifica il mio indirizzo
page-verify-not-me = Non ho creato un account
page-verify-code-title = È il tuo account?
page-verify-code-lead = Il codice è corretto. Se questo è il tuo account, premi il pulsante e sarà pronto.
page-verify-code-button = Sì, è il mio account
page-verified-title = Account verificato
page-verified-heading = Il tuo account è verificato
page-verified-lead = Grazie. Ora puoi chiudere questa pagina e accedere.
page-verified-thanks = Grazie.


## Page: the owner of an address deletes the account that another person made with it

page-not-me-title = Eliminare questo account?
page-not-me-lead = Non hai creato un account? Allora qualcun altro ha usato il tuo indirizzo. Premi il pulsante per eliminare l’account. L’operazione non può essere annullata.
page-not-me-button = Elimina questo account
page-not-me-done-title = L’account è stato eliminato
page-not-me-done-lead = Nessuno può più usarlo e non devi fare altro. Puoi creare un account con il tuo indirizzo in qualsiasi momento.


## Pages: a link that does not work

page-expired-title = Questo link è scaduto
page-expired-lead = Per proteggere il tuo account, i link sono validi solo per un tempo limitato. Inserisci il tuo indirizzo email per riceverne uno nuovo.
page-expired-log-in = Per proteggere il tuo account, i link sono validi solo per un tempo limitato. Accedi e richiedi di nuovo la modifica del tuo indirizzo email.
page-expired-undo = La modifica dell’indirizzo email può essere annullata solo entro 72 ore. Questo termine è scaduto, quindi l’indirizzo resta quello attuale.
page-expired-button = Inviami un nuovo link
page-invalid-title = Questo link non funziona
page-invalid-lead = È già stato usato oppure è incompleto. Apri di nuovo il link nell’email o richiedine uno nuovo:
page-invalid-verification = Nuovo link di verifica
page-invalid-reset = Reimposta la mia password


## Pages: ask for a link

page-request-verification-title = Richiedi un nuovo link di verifica
page-request-verification-lead = Inserisci l’indirizzo email con cui hai creato l’account. Se non è ancora verificato, invieremo lì un nuovo link e un codice.
page-request-reset-title = Reimposta la tua password
page-request-reset-lead = Inserisci l’indirizzo email del tuo account. Invieremo lì un link e un codice per scegliere una nuova password.
page-request-button = Inviami un link
page-request-have-code = Ho un codice
page-requested-title = Controlla la tua posta
page-requested-verification = Se l’account esiste e non è verificato, un nuovo link è in arrivo.
page-requested-reset = Controlla la tua posta: troverai le istruzioni per reimpostare la password.
page-requested-help = Nessuna email dopo qualche minuto? Guarda nella cartella dello spam e controlla l’indirizzo.


## Pages: the code of an email instead of its link

page-code-heading = Link o codice
page-code-lead = L’email contiene un link e un codice. Apri il link oppure inserisci qui il codice.
page-enter-code-lead = Inserisci il codice di 8 cifre che trovi nella nostra email.
page-code-label = Codice ricevuto via email
page-code-again = Richiedi un nuovo link e un nuovo codice


## Page: a new password

page-reset-title = Scegli una nuova password
page-reset-label = Nuova password
page-reset-hint = Da { $min_length } a { $max_length } caratteri. Più parole senza legami tra loro sono una buona scelta.
page-reset-again-label = Ripeti la nuova password
page-reset-button = Salva la nuova password
page-reset-footer = Tutti i dispositivi collegati al tuo account verranno disconnessi.
page-reset-done-title = Password modificata
page-reset-done-heading = La tua nuova password è stata salvata
page-reset-done-lead = Ora puoi chiudere questa pagina e accedere con la nuova password. Tutti i dispositivi collegati al tuo account sono stati disconnessi.
page-reset-done-continue = Ora accedi con la nuova password. Tutti i dispositivi collegati al tuo account sono stati disconnessi.


## Pages: another address

page-email-change-title = Conferma il tuo nuovo indirizzo email
page-email-change-lead = Premi il pulsante per usare questo indirizzo per il tuo account. Da quel momento lo userai per accedere.
page-email-change-not-me = Non l’hai richiesto tu o l’account non è tuo? Allora chiudi questa pagina: non cambia nulla.
page-email-change-button = Conferma questo indirizzo
page-email-changed-title = Indirizzo email modificato
page-email-changed-heading = Il tuo indirizzo email è stato modificato
page-email-changed-lead = D’ora in poi, accedi con il nuovo indirizzo.
page-undo-title = Annulla la modifica dell’indirizzo email
page-undo-lead = Premi il pulsante per ripristinare { $email } come indirizzo del tuo account. Tutti i dispositivi collegati verranno disconnessi e la password attuale non sarà più accettata: ti invieremo un link per sceglierne una nuova.
page-undo-button = Ripristina il mio indirizzo
page-undone-title = Il tuo indirizzo è stato ripristinato
page-undone-lead = Tutti i dispositivi sono stati disconnessi. Controlla la tua posta: troverai un link per scegliere una nuova password, l’unica con cui potrai accedere all’account.


## Pages: no more emails of one kind

page-unsubscribe-title = Non ricevere più queste email?
page-unsubscribe-lead = Premi il pulsante e non saranno più inviate email di questo tipo a { $email }. Continuerai a ricevere le email che riguardano il tuo account, come un link per scegliere una nuova password.
page-unsubscribe-button = Annulla l’iscrizione
page-unsubscribed-title = Iscrizione annullata
page-unsubscribed-lead = Non riceverai più email di questo tipo da { $app_name }. Continuerai a ricevere le email che riguardano il tuo account, come un link per scegliere una nuova password.


## Forms: what is wrong with a field

field-required = Compila tutti i campi.
field-invalid = Controlla i dati inseriti.
address-empty = Inserisci un indirizzo email.
address-malformed = L’indirizzo deve avere il formato nome@example.org.
address-too-long = L’indirizzo è troppo lungo.
address-forbidden = L’indirizzo non può contenere spazi o caratteri invisibili.
address-not-ascii = Prima della @, l’indirizzo può contenere solo le lettere dalla a alla z senza accenti, cifre e segni di punteggiatura.
password-length = La nuova password deve avere tra { $min_length } e { $max_length } caratteri.
password-forbidden = La nuova password non può contenere caratteri di controllo.
password-own-words = La nuova password non può essere composta dal tuo indirizzo o dal tuo nome.
password-guessable = La nuova password è troppo facile da indovinare: scegline una meno comune o più lunga.
code-malformed = Il codice deve avere 8 cifre.
code-wrong = Il codice è errato o scaduto. Controllalo o richiedine uno nuovo.
passwords-differ = Le due password non coincidono.


## Pages: errors, by their code. The second line of some says what to do

error-user_not_found = Questo account non esiste più
error-user_exists = Un altro account usa questo indirizzo
error-already_verified = L’account è già verificato
error-insufficient_permissions = Non hai l’autorizzazione per farlo
error-account_disabled = Questo account è disattivato
error-too_many_requests = Troppe richieste
error-too_many_requests-resolution = Attendi un momento, poi riprova.
error-malformed_body = Impossibile leggere il modulo
error-validation_error = Il modulo è incompleto
error-body_too_large = Il modulo è troppo grande
error-request_timeout = La richiesta ha impiegato troppo tempo
error-not_found = Questa pagina non esiste
error-server_error = Qualcosa è andato storto
error-server_error-resolution = Riprova più tardi.
error-unavailable = Il servizio non è disponibile
error-unavailable-resolution = Attendi un momento, poi riprova.


## The start page: what runs

start-title = Home
start-heading = { $app_name } è in funzione
start-version = Versione
start-database = Database
start-queue = Coda
start-queue-in-process = in questo processo
start-emails = Email
start-emails-files = file
start-docs = Documentazione dell’API
start-inbox = Posta in arrivo
start-health = Stato del servizio
start-openapi = OpenAPI
start-sign-up = Crea un account per ricevere una prima email
start-command = Un comando che crea un account
start-link-inbox = Il link di verifica si troverà poi nella posta in arrivo.
start-link-sent = Il link di verifica verrà poi inviato a quell’indirizzo.
