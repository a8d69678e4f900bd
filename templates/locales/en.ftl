### The texts of all emails and of the pages that people see. Syntax: https://projectfluent.org
###
### For translators:
### - This file is the source. Every other file has the same messages with the same variables, none more and none less.
###   Variables are between braces; they may move, and their names stay.
### - Messages are plain text, not HTML. Emails use each as text and as HTML.
### - $app_name is the name of the product, such as "Bookly" or "Acme Books". It can be used in every message. It is not
###   translated, has no known gender, and is not inflected: build the sentence around it.
### - The reader is one person whose gender is unknown. Use the form of address and the quotation marks that serious
###   software uses in your language.
### - Two messages are never joined into one sentence.
### - Lengths, in characters: subjects at most 60, buttons at most 30, preheaders at most 120, labels at most 40.
### - The first part of a name says where the message stands: `verify-email-…` in the email verify_email, `page-…` on pages.


## Every email

# Line 1, for a reader whose name is not known.
greeting = Hello,

# Line 1. $first_name is a given name as its owner typed it, of at most 40 letters.
greeting-name = Hello { $first_name },

# Small print under a button, before the address of the link, which is a line by itself.
mail-link-instead = If the button does not work, open this link:

# Two lines of emails that tell of a change: the change was the reader's own.
mail-was-you = That was you? Then there is nothing to do.

# A bold question. The line after it says what to do.
mail-was-not-you = That was not you?

# A button that opens the form for a forgotten password.
mail-reset-button = Reset my password

# The footer.
mail-footer = You get this mail because this address is used with { $app_name }. It was sent automatically.

# In the footer of emails and pages. $support_email is an address.
support = Questions? Write to { $support_email }.


## Times and durations

# $date is "23 November 2026" in your language, $time is "15:04". UTC stays UTC. The result is $changed_at, $undo_until and
# so on in other messages.
moment = { $date }, { $time } UTC

# A duration, used as $lifetime: "The link works for 90 minutes". Where your language inflects it, choose one form (say the
# accusative) and build every sentence with $lifetime so that this form fits. Add the plural categories of your language
# (CLDR: zero, one, two, few, many, other).
duration-seconds = { $count ->
    [one] { $count } second
   *[other] { $count } seconds
}
duration-minutes = { $count ->
    [one] { $count } minute
   *[other] { $count } minutes
}
duration-hours = { $count ->
    [one] { $count } hour
   *[other] { $count } hours
}
duration-days = { $count ->
    [one] { $count } day
   *[other] { $count } days
}


## Email verify_email: after a sign-up, to prove the address

verify-email-subject = Verify your email
verify-email-title = Verify your email

# The preheader, which mail programs show after the subject in a list. $lifetime: see duration-minutes.
verify-email-preheader = One click, and your { $app_name } account is ready. The link works for { $lifetime }.

# The link and a code of eight digits follow. $lifetime is bold.
verify-email-lead = Welcome to { $app_name }. Please confirm that this is your email address. Link and code work for { $lifetime }.
verify-email-button = Verify my email

# After the link, before the code, which is large and a line by itself: "1234 5678". It does the same as the link.
verify-email-code = Or enter this code where you signed up:
verify-email-note = You did not sign up? Then ignore this mail: without link or code, nobody can use an account with your address.
verify-email-footer = You get this mail because somebody signed up for { $app_name } with this address.


## Email reset_password: somebody asked for a new password

reset-password-subject = Reset Your Password
reset-password-title = Reset your password
reset-password-preheader = Choose a new password for { $app_name }. The link works for { $lifetime }.

# The link and a code of eight digits follow. $lifetime is bold.
reset-password-lead = Somebody, hopefully you, asked to reset the password of your { $app_name } account. Link and code work once, and for { $lifetime }.
reset-password-button = Set a new password

# See verify-email-code.
reset-password-code = Or enter this code where you asked for it:
reset-password-note = You did not ask for this? Then ignore this mail: nothing changes, and your password stays as it is.


## Email password_changed: the password was changed

password-changed-subject = Your password was changed
password-changed-title = Your password was changed

# $changed_at: see moment.
password-changed-preheader = Changed on { $changed_at }. If that was not you, act now.

# $changed_at is bold.
password-changed-lead = The password of your { $app_name } account was changed on { $changed_at }.

# After mail-was-not-you. The button mail-reset-button follows.
password-changed-act = Then choose a new password at once, which also signs out everybody who is signed in.


## Email change_email: to the new address, to prove it

change-email-subject = Confirm your new email address
change-email-title = Confirm your new email address
change-email-preheader = One more step to use this address with { $app_name }. The link works for { $lifetime }.

# The link and a code of eight digits follow. $new_address is an address such as zoe@example.org and bold, as is $lifetime.
change-email-lead = Please confirm that { $new_address } is to be the new email address of your { $app_name } account. Link and code work once, and for { $lifetime }. Until then the old address stays.
change-email-button = Confirm this address

# See verify-email-code.
change-email-code = Or enter this code where you asked for the change:
change-email-note = You did not ask for this? Then ignore this mail: nothing changes.
change-email-footer = You get this mail because somebody entered this address as theirs at { $app_name }.


## Email email_change_requested: to the old address, before the change

email-change-requested-subject = Your email address is about to change
email-change-requested-title = Your email address is about to change

# $masked_address is an address of which only a part is shown, such as z•••@example.org.
email-change-requested-preheader = To { $masked_address }, as soon as it is confirmed there. If that was not you, act now.

# $requested_at (see moment) and $masked_address are bold.
email-change-requested-lead = On { $requested_at } somebody asked to change the email address of your { $app_name } account to { $masked_address }. The change takes effect when it is confirmed from the new address.

# After mail-was-not-you. The button mail-reset-button follows.
email-change-requested-act = Then somebody knows your password. Choose a new one at once: that also makes the link to the new address worthless.


## Email email_changed: to the old address, after the change

email-changed-subject = Your email address was changed
email-changed-title = Your email address was changed
email-changed-preheader = To { $masked_address }. If that was not you, undo it within 72 hours.

# $changed_at (see moment) and $masked_address are bold.
email-changed-lead = On { $changed_at } the email address of your { $app_name } account was changed to { $masked_address }.

# After mail-was-not-you. The button email-changed-button follows.
email-changed-act = Then restore this address. Everyone is signed out, and we send you a link to a new password.
email-changed-button = Restore my address

# $undo_until: see moment.
email-changed-until = The link works once, for 72 hours: until { $undo_until }.

# Instead of email-changed-act and what follows it, in the email after an undo: to the address that loses the account.
email-changed-undone = The account has its former address again. You can no longer log in with this one.


## Email welcome: an administrator sends it to any address

welcome-subject = Welcome to our app
welcome-title = Welcome to the app
welcome-preheader = It is good to have you with us.
welcome-lead = It is good to have you with us at { $app_name }.

# A button that opens the home page.
welcome-button = Open { $app_name }


## Every page

# The title of a page with a form that was not accepted. $title is the page's title.
page-error-title = Error: { $title }

# Label of a field.
page-email-label = Email address

# The last button of a page: it leads to the product.
page-continue = Continue to { $app_name }

# Under an error. $status is a number such as 404.
page-status = Status { $status }


## Pages of links and codes: whose account it is
## $created_at is bold text such as moment makes. $email is an address, $name a first and last name as typed, $username a
## user name as typed.

page-account = The account { $email } was made on { $created_at }.
page-account-name = The account { $email } was made for { $name } on { $created_at }.
page-account-username = The account { $email } was made with the user name { $username } on { $created_at }.
page-account-name-username = The account { $email } was made for { $name } with the user name { $username } on { $created_at }.


## Page: verify an address

page-verify-title = Verify your email
page-verify-lead = Is this your account? Then press the button, and it is ready.
page-verify-button = Verify my email

# A link to the page page-not-me.
page-verify-not-me = I did not sign up

# The page after a typed code: the same question, with other texts. page-account… and page-verify-not-me stand on it too.
page-verify-code-title = Is this your account?
page-verify-code-lead = The code is right. If this is your account, press the button, and it is ready.
page-verify-code-button = Yes, this is my account

page-verified-title = Account verified
page-verified-heading = Your account is verified
page-verified-lead = Thank you. You can close this page now and log in.

# Instead of page-verified-lead, before the button page-continue.
page-verified-thanks = Thank you.


## Page: the owner of an address deletes the account that another person made with it

page-not-me-title = Delete this account?
page-not-me-lead = You did not sign up? Then somebody else used your address. Press the button to delete the account. This cannot be undone.
page-not-me-button = Delete this account
page-not-me-done-title = The account was deleted
page-not-me-done-lead = Nobody can use it, and there is nothing else to do. You can sign up with your address at any time.


## Pages: a link that does not work

page-expired-title = This link has expired

# The form for a new link follows.
page-expired-lead = Links work for a limited time, to keep your account safe. Enter your email address to get a new one.

# The same where a new link needs a login.
page-expired-log-in = Links work for a limited time, to keep your account safe. Log in and ask again to change your email address.

# The same for a link that undoes an email change: there is no way to get a new one.
page-expired-undo = An email change can be undone for 72 hours only. That time is over, so the address stays as it is now.
page-expired-button = Send me a new link
page-invalid-title = This link does not work

# The two links page-invalid-verification and page-invalid-reset follow.
page-invalid-lead = It was used already, or it is not complete. Please open the link in the email again, or ask for a new one:
page-invalid-verification = New verification link
page-invalid-reset = Reset my password


## Pages: ask for a link

page-request-verification-title = Get a new verification link
page-request-verification-lead = Enter the email address that you signed up with. If it is not verified yet, we send a new link and a code to it.
page-request-reset-title = Reset your password
page-request-reset-lead = Enter the email address of your account. We send a link and a code to it, to choose a new password.
page-request-button = Send me a link

# A link to the form for a code.
page-request-have-code = I have a code
page-requested-title = Check your email
page-requested-verification = If the account exists and is not verified, a new link is on its way.
page-requested-reset = Please check your email for instructions to reset your password.
page-requested-help = No email after a few minutes? Look in the spam folder, and check the address.


## Pages: the code of an email instead of its link

# Heading and text on the page page-requested, before the form for the code.
page-code-heading = Link or code
page-code-lead = The email has a link and a code. Open the link, or enter the code here.

# The text of a page with that form alone; its title is page-verify-title or page-reset-title.
page-enter-code-lead = Enter the code of 8 digits from our email.

# Label of the field.
page-code-label = Code from the email

# A link under the form.
page-code-again = Ask for a new link and code


## Page: a new password

page-reset-title = Choose a new password
page-reset-label = New password

# Under the field. $min_length is 8, $max_length is 128.
page-reset-hint = { $min_length } to { $max_length } characters. Several words that do not belong together are a good choice.
page-reset-again-label = New password again
page-reset-button = Save new password
page-reset-footer = This signs out every device that is signed in to your account.
page-reset-done-title = Password changed
page-reset-done-heading = Your new password is saved
page-reset-done-lead = You can close this page now and log in with it. Every device that was signed in to your account is signed out.

# Instead of page-reset-done-lead, before the button page-continue.
page-reset-done-continue = Log in with it now. Every device that was signed in to your account is signed out.


## Pages: another address

page-email-change-title = Confirm your new email address
page-email-change-lead = Press the button to use this address for your account. You then log in with it.

# After it. The page says before whose account it is, with page-account….
page-email-change-not-me = You did not ask for this, or the account is not yours? Then close this page: nothing changes.
page-email-change-button = Confirm this address
page-email-changed-title = Email address changed
page-email-changed-heading = Your email address is changed
page-email-changed-lead = From now on, log in with the new address.
page-undo-title = Undo the email change

# $email is an address, bold.
page-undo-lead = Press the button to make { $email } the address of your account again. Everyone who is signed in is then signed out, and the current password is no longer accepted: we send a link to a new one.
page-undo-button = Restore my address
page-undone-title = Your address is restored
page-undone-lead = Everyone is signed out. Check your email for a link to a new password: the account opens with that one only.


## Pages: no more emails of one kind

page-unsubscribe-title = Stop these emails?

# $email is an address, bold. Emails of this kind go to many people at once; nobody waits for them.
page-unsubscribe-lead = Press the button, and no more emails of this kind go to { $email }. Emails about your account, such as a link to a new password, still reach you.
page-unsubscribe-button = Unsubscribe
page-unsubscribed-title = You are unsubscribed
page-unsubscribed-lead = You get no more emails of this kind from { $app_name }. Emails about your account, such as a link to a new password, still reach you.


## Forms: what is wrong with a field

field-required = Please fill in every field.
field-invalid = Please check what you entered.
address-empty = Please enter an email address.
address-malformed = The address must look like name@example.org.
address-too-long = The address is too long.
address-forbidden = The address must not contain spaces or invisible characters.
address-not-ascii = Before the @, the address can have only the letters a to z, digits and punctuation.

# $min_length is 8, $max_length is 128.
password-length = The new password must have between { $min_length } and { $max_length } characters.
password-forbidden = The new password must not contain control characters.
password-own-words = The new password must not be made of your own address or name.
password-guessable = The new password is too easy to guess: choose one that is not common, or a longer one.
code-malformed = The code must have 8 digits.
code-wrong = The code is wrong or has expired. Check it, or ask for a new one.
passwords-differ = The two passwords are not the same.


## Pages: errors, by their code. The second line of some says what to do

error-user_not_found = This account does not exist any more
error-user_exists = Another account has this address
error-already_verified = The account is already verified
error-insufficient_permissions = You are not allowed to do this
error-account_disabled = This account is disabled
error-too_many_requests = Too many requests
error-too_many_requests-resolution = Please wait a moment, then try again.
error-malformed_body = The form cannot be read
error-validation_error = The form is not complete
error-body_too_large = The form is too large
error-request_timeout = The request took too long
error-not_found = This page does not exist
error-server_error = Something went wrong
error-server_error-resolution = Please try again later.
error-unavailable = The service is not available
error-unavailable-resolution = Please wait a moment, then try again.


## The start page: what runs

start-title = Start
start-heading = { $app_name } is running
start-version = Version
start-database = Database
start-queue = Queue
start-queue-in-process = in this process
start-emails = Emails
start-emails-files = files
start-docs = API documentation
start-inbox = Inbox
start-health = Health
start-openapi = OpenAPI
start-sign-up = Sign up to get a first email
start-command = A command that signs up
start-link-inbox = The verification link is then in the inbox.
start-link-sent = The verification link is then sent to that address.
