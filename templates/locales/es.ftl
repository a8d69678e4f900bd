### See en.ftl.


## Every email

greeting = Hola:
greeting-name = Hola, { $first_name }:
mail-link-instead = Si el botón no funciona, abre este enlace:
mail-was-you = ¿Has sido tú? Entonces no tienes que hacer nada.
mail-was-not-you = ¿No has sido tú?
mail-reset-button = Restablecer mi contraseña
mail-footer = Recibes este correo automático porque esta dirección se usa con { $app_name }.
support = ¿Tienes preguntas? Escribe a { $support_email }.


## Times and durations

moment = { $date } ({ $time } UTC)
duration-seconds = { $count ->
    [one] { $count } segundo
    [many] { $count } de segundos
   *[other] { $count } segundos
}
duration-minutes = { $count ->
    [one] { $count } minuto
    [many] { $count } de minutos
   *[other] { $count } minutos
}
duration-hours = { $count ->
    [one] { $count } hora
    [many] { $count } de horas
   *[other] { $count } horas
}
duration-days = { $count ->
    [one] { $count } día
    [many] { $count } de días
   *[other] { $count } días
}


## Email verify_email: after a sign-up, to prove the address

verify-email-subject = Verifica tu correo electrónico
verify-email-title = Verifica tu correo electrónico
verify-email-preheader = Un clic y tu cuenta de { $app_name } estará lista. El enlace es válido durante { $lifetime }.
verify-email-lead = Te damos la bienvenida a { $app_name }. Confirma que esta es tu dirección de correo electrónico. El enlace y el código son válidos durante { $lifetime }.
verify-email-button = Verificar mi correo
verify-email-code = O introduce este código en la página donde te has registrado:
verify-email-note = ¿No te has registrado? Entonces ignora este correo: sin el enlace o el código, nadie puede usar una cuenta con tu dirección.
verify-email-footer = Recibes este correo porque alguien se ha registrado en { $app_name } con esta dirección.


## Email reset_password: somebody asked for a new password

reset-password-subject = Restablece tu contraseña
reset-password-title = Restablece tu contraseña
reset-password-preheader = Elige una nueva contraseña para { $app_name }. El enlace es válido durante { $lifetime }.
reset-password-lead = Alguien (esperamos que tú) ha pedido restablecer la contraseña de tu cuenta de { $app_name }. El enlace y el código funcionan una sola vez y son válidos durante { $lifetime }.
reset-password-button = Elegir una nueva contraseña
reset-password-code = O introduce este código en la página donde lo has pedido:
reset-password-note = ¿No lo has pedido tú? Entonces ignora este correo: no cambia nada y tu contraseña sigue siendo la misma.


## Email password_changed: the password was changed

password-changed-subject = Se ha cambiado tu contraseña
password-changed-title = Se ha cambiado tu contraseña
password-changed-preheader = Se cambió el { $changed_at }. Si no has sido tú, actúa ahora.
password-changed-lead = La contraseña de tu cuenta de { $app_name } se cambió el { $changed_at }.
password-changed-act = Entonces elige una nueva contraseña de inmediato: así también se cerrarán todas las sesiones abiertas.


## Email change_email: to the new address, to prove it

change-email-subject = Confirma tu nueva dirección de correo electrónico
change-email-title = Confirma tu nueva dirección de correo electrónico
change-email-preheader = Un paso más para usar esta dirección con { $app_name }. El enlace es válido durante { $lifetime }.
change-email-lead = Confirma que { $new_address } será la nueva dirección de correo electrónico de tu cuenta de { $app_name }. El enlace y el código funcionan una sola vez y son válidos durante { $lifetime }. Hasta que confirmes, se mantiene la dirección anterior.
change-email-button = Confirmar esta dirección
change-email-code = O introduce este código en la página donde has pedido el cambio:
change-email-note = ¿No lo has pedido tú? Entonces ignora este correo: no cambia nada.
change-email-footer = Recibes este correo porque alguien ha indicado esta dirección como suya en { $app_name }.


## Email email_change_requested: to the old address, before the change

email-change-requested-subject = Tu dirección de correo está a punto de cambiar
email-change-requested-title = Tu dirección de correo está a punto de cambiar
email-change-requested-preheader = La nueva será { $masked_address }, en cuanto se confirme. Si no has sido tú, actúa ahora.
email-change-requested-lead = El { $requested_at } alguien pidió cambiar la dirección de correo electrónico de tu cuenta de { $app_name } por { $masked_address }. El cambio se hará efectivo cuando se confirme desde la nueva dirección.
email-change-requested-act = Entonces alguien conoce tu contraseña. Elige una nueva de inmediato: así el enlace enviado a la nueva dirección también dejará de servir.


## Email email_changed: to the old address, after the change

email-changed-subject = Se ha cambiado tu dirección de correo
email-changed-title = Se ha cambiado tu dirección de correo
email-changed-preheader = La nueva es { $masked_address }. Si no has sido tú, deshaz el cambio en un plazo de 72 horas.
email-changed-lead = El { $changed_at } la dirección de correo electrónico de tu cuenta de { $app_name } se cambió por { $masked_address }.
email-changed-act = Entonces recupera esta dirección. Se cerrarán todas las sesiones y te enviaremos un enlace para elegir una nueva contraseña.
email-changed-button = Recuperar mi dirección
email-changed-until = El enlace funciona una sola vez y es válido durante 72 horas: hasta el { $undo_until }.
email-changed-undone = La cuenta vuelve a tener su dirección anterior. Con esta ya no puedes iniciar sesión.


## Email welcome: an administrator sends it to any address

welcome-subject = Te damos la bienvenida a nuestra aplicación
welcome-title = Te damos la bienvenida a la aplicación
welcome-preheader = Nos alegra contar contigo.
welcome-lead = Nos alegra contar contigo en { $app_name }.
welcome-button = Abrir { $app_name }


## Every page

page-error-title = Error: { $title }
page-email-label = Dirección de correo electrónico
page-continue = Ir a { $app_name }
page-status = Estado { $status }


## Pages of links and codes: whose account it is

page-account = La cuenta { $email } se creó el { $created_at }.
page-account-name = La cuenta { $email } se creó para { $name } el { $created_at }.
page-account-username = La cuenta { $email } se creó con el nombre de usuario { $username } el { $created_at }.
page-account-name-username = La cuenta { $email } se creó para { $name } con el nombre de usuario { $username } el { $created_at }.


## Page: verify an address

page-verify-title = Verifica tu correo electrónico
page-verify-lead = ¿Es esta tu cuenta? Pulsa el botón y estará lista.
page-verify-button = Verificar mi correo
page-verify-not-me = No me he registrado
page-verify-code-title = ¿Es esta tu cuenta?
page-verify-code-lead = El código es correcto. Si esta es tu cuenta, pulsa el botón y estará lista.
page-verify-code-button = Sí, es mi cuenta
page-verified-title = Cuenta verificada
page-verified-heading = Tu cuenta está verificada
page-verified-lead = Gracias. Ya puedes cerrar esta página e iniciar sesión.
page-verified-thanks = Gracias.


## Page: the owner of an address deletes the account that another person made with it

page-not-me-title = ¿Eliminar esta cuenta?
page-not-me-lead = ¿No te has registrado? Entonces otra persona ha usado tu dirección. Pulsa el botón para eliminar la cuenta. Esta acción no se puede deshacer.
page-not-me-button = Eliminar esta cuenta
page-not-me-done-title = La cuenta se ha eliminado
page-not-me-done-lead = Nadie puede usarla y no tienes que hacer nada más. Puedes registrarte con tu dirección cuando quieras.


## Pages: a link that does not work

page-expired-title = Este enlace ha caducado
page-expired-lead = Para proteger tu cuenta, los enlaces solo son válidos durante un tiempo limitado. Introduce tu dirección de correo electrónico para recibir uno nuevo.
page-expired-log-in = Para proteger tu cuenta, los enlaces solo son válidos durante un tiempo limitado. Inicia sesión y vuelve a pedir el cambio de dirección de correo electrónico.
page-expired-undo = Un cambio de dirección de correo electrónico solo se puede deshacer durante 72 horas. Ese plazo ha terminado, así que la dirección se queda como está ahora.
page-expired-button = Enviarme un nuevo enlace
page-invalid-title = Este enlace no funciona
page-invalid-lead = Ya se ha usado o está incompleto. Vuelve a abrir el enlace del correo o pide uno nuevo:
page-invalid-verification = Nuevo enlace de verificación
page-invalid-reset = Restablecer mi contraseña


## Pages: ask for a link

page-request-verification-title = Pide un nuevo enlace de verificación
page-request-verification-lead = Introduce la dirección de correo electrónico con la que te has registrado. Si aún no está verificada, enviaremos a ella un nuevo enlace y un código.
page-request-reset-title = Restablece tu contraseña
page-request-reset-lead = Introduce la dirección de correo electrónico de tu cuenta. Enviaremos a ella un enlace y un código para elegir una nueva contraseña.
page-request-button = Enviarme un enlace
page-request-have-code = Tengo un código
page-requested-title = Revisa tu correo
page-requested-verification = Si la cuenta existe y no está verificada, ya va en camino un nuevo enlace.
page-requested-reset = Revisa tu correo: encontrarás las instrucciones para restablecer tu contraseña.
page-requested-help = ¿No te ha llegado nada después de unos minutos? Mira en la carpeta de spam y comprueba la dirección.


## Pages: the code of an email instead of its link

page-code-heading = Enlace o código
page-code-lead = El correo contiene un enlace y un código. Abre el enlace o introduce el código aquí.
page-enter-code-lead = Introduce el código de 8 dígitos de nuestro correo.
page-code-label = Código del correo
page-code-again = Pedir un nuevo enlace y un nuevo código


## Page: a new password

page-reset-title = Elige una nueva contraseña
page-reset-label = Nueva contraseña
page-reset-hint = De { $min_length } a { $max_length } caracteres. Varias palabras sin relación entre sí son una buena opción.
page-reset-again-label = Repite la nueva contraseña
page-reset-button = Guardar nueva contraseña
page-reset-footer = Se cerrará la sesión en todos los dispositivos conectados a tu cuenta.
page-reset-done-title = Contraseña cambiada
page-reset-done-heading = Tu nueva contraseña está guardada
page-reset-done-lead = Ya puedes cerrar esta página e iniciar sesión con ella. Se ha cerrado la sesión en todos los dispositivos conectados a tu cuenta.
page-reset-done-continue = Ya puedes iniciar sesión con ella. Se ha cerrado la sesión en todos los dispositivos conectados a tu cuenta.


## Pages: another address

page-email-change-title = Confirma tu nueva dirección de correo electrónico
page-email-change-lead = Pulsa el botón para usar esta dirección en tu cuenta. A partir de entonces iniciarás sesión con ella.
page-email-change-not-me = ¿No lo has pedido tú o la cuenta no es tuya? Entonces cierra esta página: no cambia nada.
page-email-change-button = Confirmar esta dirección
page-email-changed-title = Dirección de correo cambiada
page-email-changed-heading = Tu dirección de correo ha cambiado
page-email-changed-lead = A partir de ahora, inicia sesión con la nueva dirección.
page-undo-title = Deshacer el cambio de correo
page-undo-lead = Pulsa el botón para que { $email } vuelva a ser la dirección de tu cuenta. Se cerrarán todas las sesiones y la contraseña actual dejará de servir: te enviaremos un enlace para elegir una nueva.
page-undo-button = Recuperar mi dirección
page-undone-title = Has recuperado tu dirección
page-undone-lead = Se han cerrado todas las sesiones. Revisa tu correo: te hemos enviado un enlace para elegir una nueva contraseña, la única con la que podrás entrar en la cuenta.


## Pages: no more emails of one kind

page-unsubscribe-title = ¿Dejar de recibir estos correos?
page-unsubscribe-lead = Pulsa el botón y no se enviarán más correos de este tipo a { $email }. Seguirás recibiendo los correos sobre tu cuenta, como un enlace para elegir una nueva contraseña.
page-unsubscribe-button = Cancelar la suscripción
page-unsubscribed-title = Suscripción cancelada
page-unsubscribed-lead = Ya no recibirás correos de este tipo de { $app_name }. Seguirás recibiendo los correos sobre tu cuenta, como un enlace para elegir una nueva contraseña.


## Forms: what is wrong with a field

field-required = Rellena todos los campos.
field-invalid = Revisa los datos que has introducido.
address-empty = Introduce una dirección de correo electrónico.
address-malformed = La dirección debe tener este formato: nombre@example.org.
address-too-long = La dirección es demasiado larga.
address-forbidden = La dirección no puede contener espacios ni caracteres invisibles.
address-not-ascii = Antes de la @, la dirección solo puede contener letras de la a a la z (sin tildes ni ñ), dígitos y signos de puntuación.
password-length = La nueva contraseña debe tener entre { $min_length } y { $max_length } caracteres.
password-forbidden = La nueva contraseña no puede contener caracteres de control.
password-own-words = La nueva contraseña no puede estar formada por tu dirección o tu nombre.
password-guessable = La nueva contraseña es demasiado fácil de adivinar: elige una menos común o más larga.
code-malformed = El código debe tener 8 dígitos.
code-wrong = El código no es correcto o ha caducado. Compruébalo o pide uno nuevo.
passwords-differ = Las dos contraseñas no coinciden.


## Pages: errors, by their code. The second line of some says what to do

error-user_not_found = Esta cuenta ya no existe
error-user_exists = Otra cuenta usa esta dirección
error-already_verified = La cuenta ya está verificada
error-insufficient_permissions = No tienes permiso para hacer esto
error-account_disabled = Esta cuenta está desactivada
error-too_many_requests = Demasiadas solicitudes
error-too_many_requests-resolution = Espera un momento y vuelve a intentarlo.
error-malformed_body = No se puede leer el formulario
error-validation_error = El formulario está incompleto
error-body_too_large = El formulario es demasiado grande
error-request_timeout = La solicitud ha tardado demasiado
error-not_found = Esta página no existe
error-server_error = Se ha producido un error
error-server_error-resolution = Vuelve a intentarlo más tarde.
error-unavailable = El servicio no está disponible
error-unavailable-resolution = Espera un momento y vuelve a intentarlo.


## The start page: what runs

start-title = Inicio
start-heading = { $app_name } está en marcha
start-version = Versión
start-database = Base de datos
start-queue = Cola
start-queue-in-process = en este proceso
start-emails = Correos
start-emails-files = archivos
start-docs = Documentación de la API
start-inbox = Bandeja de entrada
start-health = Estado del servicio
start-openapi = OpenAPI
start-sign-up = Regístrate para recibir un primer correo
start-command = Un comando que registra una cuenta
start-link-inbox = El enlace de verificación estará después en la bandeja de entrada.
start-link-sent = El enlace de verificación se enviará después a esa dirección.
