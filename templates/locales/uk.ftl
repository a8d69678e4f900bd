### See en.ftl.


## Every email

greeting = Добрий день!
greeting-name = Добрий день, { $first_name }!
mail-link-instead = Якщо кнопка не працює, відкрийте це посилання:
mail-was-you = Це були ви? Тоді нічого робити не потрібно.
mail-was-not-you = Це були не ви?
mail-reset-button = Скинути пароль
mail-footer = Ви отримали цей лист, бо ця адреса використовується в застосунку { $app_name }. Лист надіслано автоматично.
support = Маєте запитання? Напишіть на адресу { $support_email }.


## Times and durations

moment = { $date } о { $time } UTC
duration-seconds = { $count ->
    [one] { $count } секунду
    [few] { $count } секунди
    [many] { $count } секунд
   *[other] { $count } секунди
}
duration-minutes = { $count ->
    [one] { $count } хвилину
    [few] { $count } хвилини
    [many] { $count } хвилин
   *[other] { $count } хвилини
}
duration-hours = { $count ->
    [one] { $count } годину
    [few] { $count } години
    [many] { $count } годин
   *[other] { $count } години
}
duration-days = { $count ->
    [one] { $count } день
    [few] { $count } дні
    [many] { $count } днів
   *[other] { $count } дня
}


## Email verify_email: after a sign-up, to prove the address

verify-email-subject = Підтвердьте свою адресу електронної пошти
verify-email-title = Підтвердьте свою адресу електронної пошти
verify-email-preheader = Один клік — і ваш обліковий запис { $app_name } готовий. Посилання діє { $lifetime }.
verify-email-lead = Ласкаво просимо до застосунку { $app_name }. Підтвердьте, будь ласка, що це ваша адреса електронної пошти. Посилання й код діють { $lifetime }.
verify-email-button = Підтвердити адресу
verify-email-code = Або введіть цей код там, де ви реєструвалися:
verify-email-note = Ви не реєструвалися? Тоді не зважайте на цей лист: без посилання чи коду ніхто не зможе користуватися обліковим записом із вашою адресою.
verify-email-footer = Ви отримали цей лист, бо хтось указав цю адресу під час реєстрації в застосунку { $app_name }.


## Email reset_password: somebody asked for a new password

reset-password-subject = Скидання пароля
reset-password-title = Скидання пароля
reset-password-preheader = Створіть новий пароль для облікового запису { $app_name }. Посилання діє { $lifetime }.
reset-password-lead = Ми отримали запит на скидання пароля до вашого облікового запису { $app_name } — сподіваємося, від вас. Посилання й код можна використати лише один раз, і діють вони { $lifetime }.
reset-password-button = Створити новий пароль
reset-password-code = Або введіть цей код там, де ви надіслали запит:
reset-password-note = Ви не надсилали запиту? Тоді не зважайте на цей лист: нічого не зміниться, і пароль залишиться тим самим.


## Email password_changed: the password was changed

password-changed-subject = Ваш пароль змінено
password-changed-title = Ваш пароль змінено
password-changed-preheader = Пароль змінено { $changed_at }. Якщо це були не ви, дійте негайно.
password-changed-lead = Пароль до вашого облікового запису { $app_name } змінено { $changed_at }.
password-changed-act = Тоді негайно створіть новий пароль. Це також завершить сеанси на всіх пристроях.


## Email change_email: to the new address, to prove it

change-email-subject = Підтвердьте нову адресу електронної пошти
change-email-title = Підтвердьте нову адресу електронної пошти
change-email-preheader = Ще один крок, щоб використовувати цю адресу в застосунку { $app_name }. Посилання діє { $lifetime }.
change-email-lead = Підтвердьте, будь ласка, що { $new_address } має стати новою адресою електронної пошти вашого облікового запису { $app_name }. Посилання й код можна використати лише один раз, і діють вони { $lifetime }. До підтвердження чинною залишається попередня адреса.
change-email-button = Підтвердити цю адресу
change-email-code = Або введіть цей код там, де ви змінюєте адресу:
change-email-note = Ви не надсилали запиту? Тоді не зважайте на цей лист: нічого не зміниться.
change-email-footer = Ви отримали цей лист, бо хтось указав цю адресу як свою в застосунку { $app_name }.


## Email email_change_requested: to the old address, before the change

email-change-requested-subject = Запит на зміну вашої адреси електронної пошти
email-change-requested-title = Запит на зміну вашої адреси електронної пошти
email-change-requested-preheader = Нова адреса, щойно її підтвердять: { $masked_address }. Якщо це були не ви, дійте негайно.
email-change-requested-lead = { $requested_at } надійшов запит на зміну адреси електронної пошти вашого облікового запису { $app_name } на { $masked_address }. Зміна набуде чинності, коли її підтвердять із нової адреси.
email-change-requested-act = Тоді хтось знає ваш пароль. Негайно створіть новий: після цього посилання, надіслане на нову адресу, теж стане недійсним.


## Email email_changed: to the old address, after the change

email-changed-subject = Вашу адресу електронної пошти змінено
email-changed-title = Вашу адресу електронної пошти змінено
email-changed-preheader = Нова адреса: { $masked_address }. Якщо це були не ви, скасуйте зміну протягом 72 годин.
email-changed-lead = { $changed_at } адресу електронної пошти вашого облікового запису { $app_name } змінено на { $masked_address }.
email-changed-act = Тоді відновіть цю адресу. Сеанси на всіх пристроях буде завершено, а ми надішлемо вам посилання для створення нового пароля.
email-changed-button = Відновити мою адресу
email-changed-until = Посилання можна використати лише один раз протягом 72 годин: воно стане недійсним { $undo_until }.
email-changed-undone = Обліковий запис знову має попередню адресу. Увійти з цією адресою більше не можна.


## Email welcome: an administrator sends it to any address

welcome-subject = Ласкаво просимо до нашого застосунку
welcome-title = Ласкаво просимо до застосунку
welcome-preheader = Раді, що ви з нами.
welcome-lead = Раді вітати вас у застосунку { $app_name }.
welcome-button = Відкрити застосунок { $app_name }


## Every page

page-error-title = Помилка: { $title }
page-email-label = Адреса електронної пошти
page-continue = Далі до застосунку { $app_name }
page-status = Статус { $status }


## Pages of links and codes: whose account it is

page-account = Обліковий запис { $email } створено { $created_at }.
page-account-name = Обліковий запис { $email } (ім’я: { $name }) створено { $created_at }.
page-account-username = Обліковий запис { $email } (ім’я користувача: { $username }) створено { $created_at }.
page-account-name-username = Обліковий запис { $email } (ім’я: { $name }, ім’я користувача: { $username }) створено { $created_at }.


## Page: verify an address

page-verify-title = Підтвердьте свою адресу електронної пошти
page-verify-lead = Це ваш обліковий запис? Тоді натисніть кнопку, і він буде готовий.
page-verify-button = Підтвердити адресу
page-verify-not-me = Це не мій обліковий запис
page-verify-code-title = Це ваш обліковий запис?
page-verify-code-lead = Код правильний. Якщо це ваш обліковий запис, натисніть кнопку, і він буде готовий.
page-verify-code-button = Так, це мій обліковий запис
page-verified-title = Обліковий запис підтверджено
page-verified-heading = Ваш обліковий запис підтверджено
page-verified-lead = Дякуємо. Тепер ви можете закрити цю сторінку й увійти.
page-verified-thanks = Дякуємо.


## Page: the owner of an address deletes the account that another person made with it

page-not-me-title = Видалити цей обліковий запис?
page-not-me-lead = Ви не реєструвалися? Тоді вашою адресою скористався хтось інший. Натисніть кнопку, щоб видалити обліковий запис. Цю дію не можна скасувати.
page-not-me-button = Видалити обліковий запис
page-not-me-done-title = Обліковий запис видалено
page-not-me-done-lead = Ніхто вже не зможе ним користуватися, і більше нічого робити не потрібно. Ви можете будь-коли зареєструватися зі своєю адресою.


## Pages: a link that does not work

page-expired-title = Термін дії посилання минув
page-expired-lead = Задля безпеки вашого облікового запису посилання діють обмежений час. Введіть адресу електронної пошти, щоб отримати нове.
page-expired-log-in = Задля безпеки вашого облікового запису посилання діють обмежений час. Увійдіть і ще раз надішліть запит на зміну адреси електронної пошти.
page-expired-undo = Зміну адреси електронної пошти можна скасувати лише протягом 72 годин. Цей час минув, тому адреса залишається такою, як зараз.
page-expired-button = Надіслати нове посилання
page-invalid-title = Це посилання не працює
page-invalid-lead = Його вже використано або воно неповне. Відкрийте посилання в листі ще раз або отримайте нове:
page-invalid-verification = Нове посилання для підтвердження
page-invalid-reset = Скинути пароль


## Pages: ask for a link

page-request-verification-title = Отримайте нове посилання для підтвердження
page-request-verification-lead = Введіть адресу електронної пошти, з якою ви зареєструвалися. Якщо її ще не підтверджено, ми надішлемо на неї нове посилання й код.
page-request-reset-title = Скидання пароля
page-request-reset-lead = Введіть адресу електронної пошти свого облікового запису. Ми надішлемо на неї посилання й код для створення нового пароля.
page-request-button = Надіслати посилання
page-request-have-code = У мене є код
page-requested-title = Перевірте електронну пошту
page-requested-verification = Якщо обліковий запис існує і його ще не підтверджено, ви отримаєте нове посилання.
page-requested-reset = Перевірте електронну пошту: у листі ви знайдете вказівки щодо скидання пароля.
page-requested-help = Минуло кілька хвилин, а листа немає? Загляньте до папки зі спамом і перевірте, чи правильно вказано адресу.


## Pages: the code of an email instead of its link

page-code-heading = Посилання або код
page-code-lead = У листі є посилання й код. Відкрийте посилання або введіть код тут.
page-enter-code-lead = Введіть 8-значний код із нашого листа.
page-code-label = Код із листа
page-code-again = Отримати нове посилання й код


## Page: a new password

page-reset-title = Створіть новий пароль
page-reset-label = Новий пароль
page-reset-hint = Від { $min_length } до { $max_length } символів. Добре підійдуть кілька слів, не пов’язаних між собою.
page-reset-again-label = Новий пароль ще раз
page-reset-button = Зберегти новий пароль
page-reset-footer = Це завершить сеанси на всіх пристроях, де виконано вхід у ваш обліковий запис.
page-reset-done-title = Пароль змінено
page-reset-done-heading = Ваш новий пароль збережено
page-reset-done-lead = Тепер ви можете закрити цю сторінку й увійти з новим паролем. Сеанси на всіх пристроях, де було виконано вхід у ваш обліковий запис, завершено.
page-reset-done-continue = Тепер увійдіть із новим паролем. Сеанси на всіх пристроях, де було виконано вхід у ваш обліковий запис, завершено.


## Pages: another address

page-email-change-title = Підтвердьте нову адресу електронної пошти
page-email-change-lead = Натисніть кнопку, щоб використовувати цю адресу для свого облікового запису. Після цього для входу потрібна буде саме вона.
page-email-change-not-me = Ви не надсилали запиту або обліковий запис не ваш? Тоді закрийте цю сторінку: нічого не зміниться.
page-email-change-button = Підтвердити цю адресу
page-email-changed-title = Адресу електронної пошти змінено
page-email-changed-heading = Вашу адресу електронної пошти змінено
page-email-changed-lead = Відтепер використовуйте для входу нову адресу.
page-undo-title = Скасування зміни адреси електронної пошти
page-undo-lead = Натисніть кнопку, щоб { $email } знову стала адресою вашого облікового запису. Після цього сеанси на всіх пристроях буде завершено, а поточний пароль перестане діяти: ми надішлемо вам посилання для створення нового.
page-undo-button = Відновити мою адресу
page-undone-title = Вашу адресу відновлено
page-undone-lead = Сеанси на всіх пристроях завершено. Перевірте електронну пошту: там буде посилання для створення нового пароля. Увійти можна буде лише з новим паролем.


## Pages: no more emails of one kind

page-unsubscribe-title = Більше не отримувати такі листи?
page-unsubscribe-lead = Натисніть кнопку, і листи такого типу більше не надсилатимуться на адресу { $email }. Ви й надалі отримуватимете листи щодо вашого облікового запису, наприклад посилання для створення нового пароля.
page-unsubscribe-button = Відписатися
page-unsubscribed-title = Ви відписалися
page-unsubscribed-lead = Ви більше не отримуватимете листів такого типу від застосунку { $app_name }. Ви й надалі отримуватимете листи щодо вашого облікового запису, наприклад посилання для створення нового пароля.


## Forms: what is wrong with a field

field-required = Заповніть усі поля.
field-invalid = Перевірте введені дані.
address-empty = Введіть адресу електронної пошти.
address-malformed = Адреса має бути у форматі name@example.org.
address-too-long = Адреса задовга.
address-forbidden = Адреса не може містити пробілів або невидимих символів.
address-not-ascii = Перед знаком @ адреса може містити лише латинські літери від a до z, цифри та розділові знаки.
password-length = Новий пароль має містити від { $min_length } до { $max_length } символів.
password-forbidden = Новий пароль не може містити керівних символів.
password-own-words = Новий пароль не може складатися з вашої адреси чи імені.
password-guessable = Новий пароль надто легко вгадати: виберіть менш поширений або довший.
code-malformed = Код має складатися з 8 цифр.
code-wrong = Код неправильний, або термін його дії минув. Перевірте його або отримайте новий.
passwords-differ = Паролі не збігаються.


## Pages: errors, by their code. The second line of some says what to do

error-user_not_found = Цього облікового запису вже не існує
error-user_exists = Ця адреса належить іншому обліковому запису
error-already_verified = Обліковий запис уже підтверджено
error-insufficient_permissions = У вас немає дозволу на цю дію
error-account_disabled = Цей обліковий запис вимкнено
error-too_many_requests = Забагато запитів
error-too_many_requests-resolution = Зачекайте трохи й спробуйте ще раз.
error-malformed_body = Не вдалося прочитати форму
error-validation_error = Форму заповнено не повністю
error-body_too_large = Форма завелика
error-request_timeout = Запит виконувався надто довго
error-not_found = Цієї сторінки не існує
error-server_error = Щось пішло не так
error-server_error-resolution = Спробуйте ще раз пізніше.
error-unavailable = Сервіс недоступний
error-unavailable-resolution = Зачекайте трохи й спробуйте ще раз.


## The start page: what runs

start-title = Стартова сторінка
start-heading = Застосунок { $app_name } працює
start-version = Версія
start-database = База даних
start-queue = Черга
start-queue-in-process = у цьому процесі
start-emails = Листи
start-emails-files = файли
start-docs = Документація API
start-inbox = Вхідні
start-health = Стан сервісу
start-openapi = OpenAPI
start-sign-up = Зареєструйтеся, щоб отримати перший лист
start-command = Команда для реєстрації
start-link-inbox = Тоді посилання для підтвердження з’явиться у вхідних.
start-link-sent = Тоді посилання для підтвердження буде надіслано на цю адресу.
