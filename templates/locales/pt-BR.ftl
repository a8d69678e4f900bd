### See en.ftl.


## Every email

greeting = Olá!
greeting-name = Olá, { $first_name }!
mail-link-instead = Se o botão não funcionar, abra este link:
mail-was-you = Foi você? Então não precisa fazer nada.
mail-was-not-you = Não foi você?
mail-reset-button = Redefinir minha senha
mail-footer = Você está recebendo este e-mail automático porque este endereço é usado com { $app_name }.
support = Dúvidas? Escreva para { $support_email }.


## Times and durations

moment = { $date } às { $time } UTC
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
    [one] { $count } dia
    [many] { $count } de dias
   *[other] { $count } dias
}


## Email verify_email: after a sign-up, to prove the address

verify-email-subject = Confirme seu e-mail
verify-email-title = Confirme seu e-mail
verify-email-preheader = Um clique e sua conta { $app_name } estará pronta. O link é válido por { $lifetime }.
verify-email-lead = Boas-vindas! Para usar sua conta { $app_name }, confirme que este endereço de e-mail é seu. O link e o código são válidos por { $lifetime }.
verify-email-button = Confirmar meu e-mail
verify-email-code = Ou digite este código na página em que você criou a conta:
verify-email-note = Você não criou uma conta? Então ignore este e-mail: sem o link ou o código, ninguém consegue usar uma conta com o seu endereço.
verify-email-footer = Você está recebendo este e-mail porque alguém criou uma conta { $app_name } com este endereço.


## Email reset_password: somebody asked for a new password

reset-password-subject = Redefina sua senha
reset-password-title = Redefina sua senha
reset-password-preheader = Escolha uma nova senha para { $app_name }. O link é válido por { $lifetime }.
reset-password-lead = Alguém (esperamos que você) pediu para redefinir a senha da sua conta { $app_name }. O link e o código funcionam uma única vez e são válidos por { $lifetime }.
reset-password-button = Escolher uma nova senha
reset-password-code = Ou digite este código na página em que você o solicitou:
reset-password-note = Você não pediu isso? Então ignore este e-mail: nada muda e sua senha continua a mesma.


## Email password_changed: the password was changed

password-changed-subject = Sua senha foi alterada
password-changed-title = Sua senha foi alterada
password-changed-preheader = Alterada em { $changed_at }. Se não foi você, aja agora.
password-changed-lead = A senha da sua conta { $app_name } foi alterada em { $changed_at }.
password-changed-act = Então escolha uma nova senha imediatamente. Isso também desconecta todos os dispositivos conectados.


## Email change_email: to the new address, to prove it

change-email-subject = Confirme seu novo endereço de e-mail
change-email-title = Confirme seu novo endereço de e-mail
change-email-preheader = Só falta um passo para usar este endereço com { $app_name }. O link é válido por { $lifetime }.
change-email-lead = Confirme que { $new_address } será o novo endereço de e-mail da sua conta { $app_name }. O link e o código funcionam uma única vez e são válidos por { $lifetime }. Até a confirmação, vale o endereço antigo.
change-email-button = Confirmar este endereço
change-email-code = Ou digite este código na página em que você pediu a alteração:
change-email-note = Você não pediu isso? Então ignore este e-mail: nada muda.
change-email-footer = Você está recebendo este e-mail porque alguém informou este endereço como seu em uma conta { $app_name }.


## Email email_change_requested: to the old address, before the change

email-change-requested-subject = Seu endereço de e-mail está prestes a mudar
email-change-requested-title = Seu endereço de e-mail está prestes a mudar
email-change-requested-preheader = O novo será { $masked_address }, assim que for confirmado. Se não foi você, aja agora.
email-change-requested-lead = Em { $requested_at }, alguém pediu para alterar o endereço de e-mail da sua conta { $app_name } para { $masked_address }. A alteração entra em vigor quando for confirmada pelo novo endereço.
email-change-requested-act = Então alguém sabe a sua senha. Escolha uma nova imediatamente: assim, o link enviado ao novo endereço também deixa de valer.


## Email email_changed: to the old address, after the change

email-changed-subject = Seu endereço de e-mail foi alterado
email-changed-title = Seu endereço de e-mail foi alterado
email-changed-preheader = O novo é { $masked_address }. Se não foi você, desfaça a alteração em até 72 horas.
email-changed-lead = Em { $changed_at }, o endereço de e-mail da sua conta { $app_name } foi alterado para { $masked_address }.
email-changed-act = Então restaure este endereço. Todos os dispositivos serão desconectados, e enviaremos a você um link para escolher uma nova senha.
email-changed-button = Restaurar meu endereço
email-changed-until = O link funciona uma única vez e é válido por 72 horas: até { $undo_until }.
email-changed-undone = A conta voltou a ter o endereço anterior. Com este, você não pode mais fazer login.


## Email welcome: an administrator sends it to any address

welcome-subject = Boas-vindas ao nosso aplicativo
welcome-title = Boas-vindas ao aplicativo
welcome-preheader = É muito bom ter você com a gente.
welcome-lead = Agora você pode usar { $app_name }: é muito bom ter você com a gente.
welcome-button = Abrir { $app_name }


## Every page

page-error-title = Erro: { $title }
page-email-label = Endereço de e-mail
page-continue = Continuar para { $app_name }
page-status = Status { $status }


## Pages of links and codes: whose account it is

page-account = A conta { $email } foi criada em { $created_at }.
page-account-name = A conta { $email } foi criada para { $name } em { $created_at }.
page-account-username = A conta { $email } foi criada com o nome de usuário { $username } em { $created_at }.
page-account-name-username = A conta { $email } foi criada para { $name } com o nome de usuário { $username } em { $created_at }.


## Page: verify an address

page-verify-title = Confirme seu e-mail
page-verify-lead = Esta conta é sua? Então clique no botão, e ela estará pronta.
page-verify-button = Confirmar meu e-mail
page-verify-not-me = Não criei uma conta
page-verify-code-title = Esta conta é sua?
page-verify-code-lead = O código está correto. Se esta conta é sua, clique no botão, e ela estará pronta.
page-verify-code-button = Sim, esta conta é minha
page-verified-title = Conta confirmada
page-verified-heading = Sua conta está confirmada
page-verified-lead = Agradecemos a confirmação. Agora você pode fechar esta página e fazer login.
page-verified-thanks = Agradecemos a confirmação.


## Page: the owner of an address deletes the account that another person made with it

page-not-me-title = Excluir esta conta?
page-not-me-lead = Você não criou uma conta? Então outra pessoa usou o seu endereço. Clique no botão para excluir a conta. Esta ação não pode ser desfeita.
page-not-me-button = Excluir esta conta
page-not-me-done-title = A conta foi excluída
page-not-me-done-lead = Ninguém mais pode usá-la, e você não precisa fazer mais nada. Você pode criar uma conta com o seu endereço quando quiser.


## Pages: a link that does not work

page-expired-title = Este link expirou
page-expired-lead = Para proteger sua conta, os links são válidos por tempo limitado. Digite seu endereço de e-mail para receber um novo.
page-expired-log-in = Para proteger sua conta, os links são válidos por tempo limitado. Faça login e solicite novamente a alteração do seu endereço de e-mail.
page-expired-undo = A alteração do endereço de e-mail só pode ser desfeita durante 72 horas. Esse prazo terminou, então o endereço continua como está agora.
page-expired-button = Receber um novo link
page-invalid-title = Este link não funciona
page-invalid-lead = Ele já foi usado ou está incompleto. Abra novamente o link do e-mail ou solicite um novo:
page-invalid-verification = Novo link de confirmação
page-invalid-reset = Redefinir minha senha


## Pages: ask for a link

page-request-verification-title = Solicite um novo link de confirmação
page-request-verification-lead = Digite o endereço de e-mail com que você criou a conta. Se ele ainda não estiver confirmado, enviaremos um novo link e um código para ele.
page-request-reset-title = Redefina sua senha
page-request-reset-lead = Digite o endereço de e-mail da sua conta. Enviaremos para ele um link e um código para você escolher uma nova senha.
page-request-button = Receber um link
page-request-have-code = Tenho um código
page-requested-title = Confira seu e-mail
page-requested-verification = Se a conta existir e não estiver confirmada, um novo link está a caminho.
page-requested-reset = Confira seu e-mail para ver as instruções de redefinição de senha.
page-requested-help = Não recebeu nada depois de alguns minutos? Veja a pasta de spam e confira o endereço.


## Pages: the code of an email instead of its link

page-code-heading = Link ou código
page-code-lead = O e-mail contém um link e um código. Abra o link ou digite o código aqui.
page-enter-code-lead = Digite o código de 8 dígitos que está no nosso e-mail.
page-code-label = Código do e-mail
page-code-again = Solicitar um novo link e um novo código


## Page: a new password

page-reset-title = Escolha uma nova senha
page-reset-label = Nova senha
page-reset-hint = De { $min_length } a { $max_length } caracteres. Várias palavras sem relação entre si são uma boa escolha.
page-reset-again-label = Repita a nova senha
page-reset-button = Salvar nova senha
page-reset-footer = Todos os dispositivos conectados à sua conta serão desconectados.
page-reset-done-title = Senha alterada
page-reset-done-heading = Sua nova senha foi salva
page-reset-done-lead = Agora você pode fechar esta página e fazer login com ela. Todos os dispositivos conectados à sua conta foram desconectados.
page-reset-done-continue = Agora faça login com ela. Todos os dispositivos conectados à sua conta foram desconectados.


## Pages: another address

page-email-change-title = Confirme seu novo endereço de e-mail
page-email-change-lead = Clique no botão para usar este endereço na sua conta. Depois disso, você fará login com ele.
page-email-change-not-me = Você não pediu isso, ou a conta não é sua? Então feche esta página: nada muda.
page-email-change-button = Confirmar este endereço
page-email-changed-title = Endereço de e-mail alterado
page-email-changed-heading = Seu endereço de e-mail foi alterado
page-email-changed-lead = De agora em diante, faça login com o novo endereço.
page-undo-title = Desfazer a alteração do e-mail
page-undo-lead = Clique no botão para que { $email } volte a ser o endereço da sua conta. Todos os dispositivos conectados serão desconectados, e a senha atual deixará de ser aceita: enviaremos um link para você escolher uma nova.
page-undo-button = Restaurar meu endereço
page-undone-title = Seu endereço foi restaurado
page-undone-lead = Todos os dispositivos foram desconectados. Confira seu e-mail: enviamos um link para você escolher uma nova senha, a única que dará acesso à conta.


## Pages: no more emails of one kind

page-unsubscribe-title = Parar de receber estes e-mails?
page-unsubscribe-lead = Pressione o botão e nenhum outro e-mail deste tipo será enviado para { $email }. Você continuará recebendo e-mails sobre a sua conta, como um link para escolher uma nova senha.
page-unsubscribe-button = Cancelar inscrição
page-unsubscribed-title = Inscrição cancelada
page-unsubscribed-lead = Você não receberá mais e-mails deste tipo de { $app_name }. Você continuará recebendo e-mails sobre a sua conta, como um link para escolher uma nova senha.


## Forms: what is wrong with a field

field-required = Preencha todos os campos.
field-invalid = Confira o que você digitou.
address-empty = Digite um endereço de e-mail.
address-malformed = O endereço deve ter o formato nome@example.org.
address-too-long = O endereço é longo demais.
address-forbidden = O endereço não pode conter espaços nem caracteres invisíveis.
address-not-ascii = Antes do @, o endereço só pode conter letras de “a” a “z” sem acento nem cedilha, números e sinais de pontuação.
password-length = A nova senha deve ter entre { $min_length } e { $max_length } caracteres.
password-forbidden = A nova senha não pode conter caracteres de controle.
password-own-words = A nova senha não pode ser formada pelo seu endereço ou nome.
password-guessable = A nova senha é fácil demais de adivinhar: escolha uma menos comum ou mais longa.
code-malformed = O código deve ter 8 dígitos.
code-wrong = O código está incorreto ou expirou. Confira-o ou solicite um novo.
passwords-differ = As duas senhas não são iguais.


## Pages: errors, by their code. The second line of some says what to do

error-user_not_found = Esta conta não existe mais
error-user_exists = Outra conta usa este endereço
error-already_verified = A conta já está confirmada
error-insufficient_permissions = Você não tem permissão para fazer isso
error-account_disabled = Esta conta está desativada
error-too_many_requests = Muitas solicitações
error-too_many_requests-resolution = Aguarde um momento e tente novamente.
error-malformed_body = Não foi possível ler o formulário
error-validation_error = O formulário está incompleto
error-body_too_large = O formulário é grande demais
error-request_timeout = A solicitação demorou demais
error-not_found = Esta página não existe
error-server_error = Algo deu errado
error-server_error-resolution = Tente novamente mais tarde.
error-unavailable = O serviço não está disponível
error-unavailable-resolution = Aguarde um momento e tente novamente.


## The start page: what runs

start-title = Início
start-heading = { $app_name } está em execução
start-version = Versão
start-database = Banco de dados
start-queue = Fila
start-queue-in-process = neste processo
start-emails = E-mails
start-emails-files = arquivos
start-docs = Documentação da API
start-inbox = Caixa de entrada
start-health = Status do serviço
start-openapi = OpenAPI
start-sign-up = Crie uma conta para receber um primeiro e-mail
start-command = Um comando que cria uma conta
start-link-inbox = O link de confirmação estará então na caixa de entrada.
start-link-sent = O link de confirmação será então enviado para esse endereço.
