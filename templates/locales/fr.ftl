### See en.ftl.


## Every email

greeting = Bonjour,
greeting-name = Bonjour { $first_name },
mail-link-instead = Si le bouton ne fonctionne pas, ouvrez ce lien :
mail-was-you = C’était vous ? Dans ce cas, vous n’avez rien à faire.
mail-was-not-you = Ce n’était pas vous ?
mail-reset-button = Réinitialiser mon mot de passe
mail-footer = Vous recevez cet e-mail automatique parce que cette adresse est utilisée avec { $app_name }.
support = Des questions ? Écrivez à { $support_email }.


## Times and durations

moment = { $date } à { $time } UTC
duration-seconds = { $count ->
    [one] { $count } seconde
    [many] { $count } de secondes
   *[other] { $count } secondes
}
duration-minutes = { $count ->
    [one] { $count } minute
    [many] { $count } de minutes
   *[other] { $count } minutes
}
duration-hours = { $count ->
    [one] { $count } heure
    [many] { $count } d’heures
   *[other] { $count } heures
}
duration-days = { $count ->
    [one] { $count } jour
    [many] { $count } de jours
   *[other] { $count } jours
}


## Email verify_email: after a sign-up, to prove the address

verify-email-subject = Confirmez votre adresse e-mail
verify-email-title = Confirmez votre adresse e-mail
verify-email-preheader = Un clic, et votre compte { $app_name } est prêt. Le lien est valable pendant { $lifetime }.
verify-email-lead = Bienvenue sur { $app_name }. Merci de confirmer que cette adresse e-mail est bien la vôtre. Le lien et le code sont valables pendant { $lifetime }.
verify-email-button = Confirmer mon adresse
verify-email-code = Ou saisissez ce code sur la page où vous avez créé votre compte :
verify-email-note = Vous n’avez pas créé de compte ? Ignorez cet e-mail : sans le lien ou le code, personne ne peut utiliser un compte avec votre adresse.
verify-email-footer = Vous recevez cet e-mail parce que quelqu’un a créé un compte { $app_name } avec cette adresse.


## Email reset_password: somebody asked for a new password

reset-password-subject = Réinitialisez votre mot de passe
reset-password-title = Réinitialisez votre mot de passe
reset-password-preheader = Choisissez un nouveau mot de passe pour { $app_name }. Le lien est valable pendant { $lifetime }.
reset-password-lead = Quelqu’un (vous, espérons-le) a demandé à réinitialiser le mot de passe de votre compte { $app_name }. Le lien et le code ne fonctionnent qu’une seule fois, pendant { $lifetime }.
reset-password-button = Créer un nouveau mot de passe
reset-password-code = Ou saisissez ce code sur la page où vous l’avez demandé :
reset-password-note = Vous n’avez rien demandé ? Ignorez cet e-mail : rien ne change, et votre mot de passe reste le même.


## Email password_changed: the password was changed

password-changed-subject = Votre mot de passe a été modifié
password-changed-title = Votre mot de passe a été modifié
password-changed-preheader = Modifié le { $changed_at }. Si ce n’était pas vous, réagissez sans attendre.
password-changed-lead = Le mot de passe de votre compte { $app_name } a été modifié le { $changed_at }.
password-changed-act = Choisissez tout de suite un nouveau mot de passe : cela déconnectera aussi tous les appareils connectés.


## Email change_email: to the new address, to prove it

change-email-subject = Confirmez votre nouvelle adresse e-mail
change-email-title = Confirmez votre nouvelle adresse e-mail
change-email-preheader = Encore une étape pour utiliser cette adresse avec { $app_name }. Le lien est valable pendant { $lifetime }.
change-email-lead = Merci de confirmer { $new_address } comme nouvelle adresse e-mail de votre compte { $app_name }. Le lien et le code ne fonctionnent qu’une seule fois, pendant { $lifetime }. Jusqu’à votre confirmation, l’ancienne adresse reste en place.
change-email-button = Confirmer cette adresse
change-email-code = Ou saisissez ce code sur la page où vous avez demandé la modification :
change-email-note = Vous n’avez rien demandé ? Ignorez cet e-mail : rien ne change.
change-email-footer = Vous recevez cet e-mail parce que quelqu’un a indiqué que cette adresse était la sienne sur { $app_name }.


## Email email_change_requested: to the old address, before the change

email-change-requested-subject = Votre adresse e-mail est sur le point de changer
email-change-requested-title = Votre adresse e-mail est sur le point de changer
email-change-requested-preheader = Nouvelle adresse : { $masked_address }, une fois confirmée. Si ce n’était pas vous, réagissez sans attendre.
email-change-requested-lead = Le { $requested_at }, quelqu’un a demandé à remplacer l’adresse e-mail de votre compte { $app_name } par { $masked_address }. La modification prendra effet une fois confirmée depuis la nouvelle adresse.
email-change-requested-act = Dans ce cas, quelqu’un connaît votre mot de passe. Choisissez-en tout de suite un nouveau : le lien envoyé à la nouvelle adresse ne servira alors plus à rien.


## Email email_changed: to the old address, after the change

email-changed-subject = Votre adresse e-mail a été modifiée
email-changed-title = Votre adresse e-mail a été modifiée
email-changed-preheader = Nouvelle adresse : { $masked_address }. Si ce n’était pas vous, annulez la modification sous 72 heures.
email-changed-lead = Le { $changed_at }, l’adresse e-mail de votre compte { $app_name } a été remplacée par { $masked_address }.
email-changed-act = Rétablissez cette adresse : tous les appareils seront déconnectés, et nous vous enverrons un lien pour choisir un nouveau mot de passe.
email-changed-button = Rétablir mon adresse
email-changed-until = Le lien ne fonctionne qu’une seule fois, pendant 72 heures : jusqu’au { $undo_until }.
email-changed-undone = Le compte a retrouvé son adresse précédente. Vous ne pouvez plus vous connecter avec celle-ci.


## Email welcome: an administrator sends it to any address

welcome-subject = Bienvenue dans notre application
welcome-title = Bienvenue dans l’application
welcome-preheader = Nous sommes heureux de vous compter parmi nous.
welcome-lead = Nous sommes heureux de vous accueillir sur { $app_name }.
welcome-button = Ouvrir { $app_name }


## Every page

page-error-title = Erreur : { $title }
page-email-label = Adresse e-mail
page-continue = Continuer vers { $app_name }
page-status = Statut { $status }


## Pages of links and codes: whose account it is

page-account = Le compte { $email } a été créé le { $created_at }.
page-account-name = Le compte { $email } a été créé pour { $name } le { $created_at }.
page-account-username = Le compte { $email } a été créé avec le nom d’utilisateur { $username } le { $created_at }.
page-account-name-username = Le compte { $email } a été créé pour { $name } avec le nom d’utilisateur { $username } le { $created_at }.


## Page: verify an address

page-verify-title = Confirmez votre adresse e-mail
page-verify-lead = Ce compte est-il le vôtre ? Alors cliquez sur le bouton, et il sera prêt.
page-verify-button = Confirmer mon adresse
page-verify-not-me = Je n’ai pas créé de compte
page-verify-code-title = Est-ce votre compte ?
page-verify-code-lead = Le code est correct. Si ce compte est le vôtre, cliquez sur le bouton, et il sera prêt.
page-verify-code-button = Oui, c’est mon compte
page-verified-title = Compte confirmé
page-verified-heading = Votre compte est confirmé
page-verified-lead = Merci. Vous pouvez maintenant fermer cette page et vous connecter.
page-verified-thanks = Merci.


## Page: the owner of an address deletes the account that another person made with it

page-not-me-title = Supprimer ce compte ?
page-not-me-lead = Vous n’avez pas créé de compte ? Alors quelqu’un d’autre a utilisé votre adresse. Cliquez sur le bouton pour supprimer le compte. Cette action est irréversible.
page-not-me-button = Supprimer ce compte
page-not-me-done-title = Le compte a été supprimé
page-not-me-done-lead = Personne ne peut plus l’utiliser, et vous n’avez rien d’autre à faire. Vous pouvez à tout moment créer un compte avec votre adresse.


## Pages: a link that does not work

page-expired-title = Ce lien a expiré
page-expired-lead = Pour protéger votre compte, les liens ne sont valables que pour une durée limitée. Saisissez votre adresse e-mail pour en recevoir un nouveau.
page-expired-log-in = Pour protéger votre compte, les liens ne sont valables que pour une durée limitée. Connectez-vous et demandez à nouveau à changer d’adresse e-mail.
page-expired-undo = Un changement d’adresse e-mail ne peut être annulé que pendant 72 heures. Ce délai est passé, l’adresse reste donc telle qu’elle est.
page-expired-button = Recevoir un nouveau lien
page-invalid-title = Ce lien ne fonctionne pas
page-invalid-lead = Il a déjà été utilisé ou il est incomplet. Ouvrez à nouveau le lien reçu par e-mail, ou demandez-en un autre :
page-invalid-verification = Nouveau lien de confirmation
page-invalid-reset = Réinitialiser mon mot de passe


## Pages: ask for a link

page-request-verification-title = Recevoir un nouveau lien de confirmation
page-request-verification-lead = Saisissez l’adresse e-mail avec laquelle vous avez créé votre compte. Si elle n’est pas encore confirmée, nous y enverrons un nouveau lien et un code.
page-request-reset-title = Réinitialisez votre mot de passe
page-request-reset-lead = Saisissez l’adresse e-mail de votre compte. Nous y enverrons un lien et un code pour choisir un nouveau mot de passe.
page-request-button = Recevoir un lien
page-request-have-code = J’ai un code
page-requested-title = Consultez votre messagerie
page-requested-verification = Si le compte existe et n’est pas confirmé, un nouveau lien est en route.
page-requested-reset = Consultez votre messagerie : vous y trouverez les instructions pour réinitialiser votre mot de passe.
page-requested-help = Aucun e-mail après quelques minutes ? Regardez dans les courriers indésirables et vérifiez l’adresse.


## Pages: the code of an email instead of its link

page-code-heading = Lien ou code
page-code-lead = L’e-mail contient un lien et un code. Ouvrez le lien, ou saisissez le code ici.
page-enter-code-lead = Saisissez le code à 8 chiffres de notre e-mail.
page-code-label = Code reçu par e-mail
page-code-again = Demander un nouveau lien et un nouveau code


## Page: a new password

page-reset-title = Choisissez un nouveau mot de passe
page-reset-label = Nouveau mot de passe
page-reset-hint = De { $min_length } à { $max_length } caractères. Plusieurs mots sans rapport entre eux sont un bon choix.
page-reset-again-label = Répétez le nouveau mot de passe
page-reset-button = Enregistrer le mot de passe
page-reset-footer = Tous les appareils connectés à votre compte seront déconnectés.
page-reset-done-title = Mot de passe modifié
page-reset-done-heading = Votre nouveau mot de passe est enregistré
page-reset-done-lead = Vous pouvez maintenant fermer cette page et vous connecter avec ce mot de passe. Tous les appareils connectés à votre compte ont été déconnectés.
page-reset-done-continue = Connectez-vous maintenant avec ce mot de passe. Tous les appareils connectés à votre compte ont été déconnectés.


## Pages: another address

page-email-change-title = Confirmez votre nouvelle adresse e-mail
page-email-change-lead = Cliquez sur le bouton pour utiliser cette adresse pour votre compte. Vous vous connecterez ensuite avec elle.
page-email-change-not-me = Vous n’avez rien demandé, ou ce compte n’est pas le vôtre ? Fermez cette page : rien ne change.
page-email-change-button = Confirmer cette adresse
page-email-changed-title = Adresse e-mail modifiée
page-email-changed-heading = Votre adresse e-mail est modifiée
page-email-changed-lead = Désormais, connectez-vous avec la nouvelle adresse.
page-undo-title = Annuler le changement d’adresse e-mail
page-undo-lead = Cliquez sur le bouton pour que { $email } redevienne l’adresse de votre compte. Tous les appareils connectés seront alors déconnectés, et le mot de passe actuel ne sera plus accepté : nous vous enverrons un lien pour en choisir un nouveau.
page-undo-button = Rétablir mon adresse
page-undone-title = Votre adresse est rétablie
page-undone-lead = Tous les appareils sont déconnectés. Consultez votre messagerie : vous y trouverez un lien pour choisir un nouveau mot de passe, le seul qui donnera accès à votre compte.


## Pages: no more emails of one kind

page-unsubscribe-title = Ne plus recevoir ces e-mails ?
page-unsubscribe-lead = Cliquez sur le bouton, et plus aucun e-mail de ce type ne sera envoyé à { $email }. Vous recevrez toujours les e-mails concernant votre compte, par exemple un lien pour choisir un nouveau mot de passe.
page-unsubscribe-button = Se désabonner
page-unsubscribed-title = Désabonnement confirmé
page-unsubscribed-lead = Vous ne recevrez plus d’e-mails de ce type de la part de { $app_name }. Vous recevrez toujours les e-mails concernant votre compte, par exemple un lien pour choisir un nouveau mot de passe.


## Forms: what is wrong with a field

field-required = Veuillez remplir tous les champs.
field-invalid = Veuillez vérifier votre saisie.
address-empty = Veuillez saisir une adresse e-mail.
address-malformed = L’adresse doit être de la forme nom@example.org.
address-too-long = L’adresse est trop longue.
address-forbidden = L’adresse ne doit contenir ni espaces ni caractères invisibles.
address-not-ascii = Avant le @, l’adresse ne peut contenir que les lettres de a à z sans accent, des chiffres et des signes de ponctuation.
password-length = Le nouveau mot de passe doit comporter entre { $min_length } et { $max_length } caractères.
password-forbidden = Le nouveau mot de passe ne doit pas contenir de caractères de contrôle.
password-own-words = Le nouveau mot de passe ne doit pas se composer de votre adresse ou de votre nom.
password-guessable = Le nouveau mot de passe est trop facile à deviner : choisissez-en un moins courant ou plus long.
code-malformed = Le code doit comporter 8 chiffres.
code-wrong = Le code est erroné ou a expiré. Vérifiez-le, ou demandez-en un nouveau.
passwords-differ = Les deux mots de passe ne sont pas identiques.


## Pages: errors, by their code. The second line of some says what to do

error-user_not_found = Ce compte n’existe plus
error-user_exists = Un autre compte utilise cette adresse
error-already_verified = Le compte est déjà confirmé
error-insufficient_permissions = Vous n’avez pas l’autorisation de faire cela
error-account_disabled = Ce compte est désactivé
error-too_many_requests = Trop de demandes
error-too_many_requests-resolution = Patientez un instant, puis réessayez.
error-malformed_body = Le formulaire est illisible
error-validation_error = Le formulaire est incomplet
error-body_too_large = Le formulaire est trop volumineux
error-request_timeout = La demande a pris trop de temps
error-not_found = Cette page n’existe pas
error-server_error = Une erreur s’est produite
error-server_error-resolution = Veuillez réessayer plus tard.
error-unavailable = Le service n’est pas disponible
error-unavailable-resolution = Patientez un instant, puis réessayez.


## The start page: what runs

start-title = Accueil
start-heading = { $app_name } est en marche
start-version = Version
start-database = Base de données
start-queue = File d’attente
start-queue-in-process = dans ce processus
start-emails = E-mails
start-emails-files = fichiers
start-docs = Documentation de l’API
start-inbox = Boîte de réception
start-health = État du service
start-openapi = OpenAPI
start-sign-up = Créez un compte pour recevoir un premier e-mail
start-command = Une commande qui crée un compte
start-link-inbox = Le lien de confirmation se trouve alors dans la boîte de réception.
start-link-sent = Le lien de confirmation est alors envoyé à cette adresse.
