### See en.ftl.


## Every email

greeting = مرحبًا،
greeting-name = مرحبًا { $first_name }،
mail-link-instead = إذا لم يعمل الزر، فيُرجى فتح هذا الرابط:
mail-was-you = إذا كنت من قام بذلك، فلا حاجة إلى أي إجراء.
mail-was-not-you = هل قام بذلك شخص آخر؟
mail-reset-button = إعادة تعيين كلمة المرور
mail-footer = وصلتك هذه الرسالة لأن هذا العنوان مستخدَم في { $app_name }. وقد أُرسلت تلقائيًا.
support = للاستفسار، يُرجى مراسلتنا على { $support_email }.


## Times and durations

moment = { $date } الساعة { $time } بتوقيت UTC
duration-seconds = { $count ->
    [zero] { $count } ثانية
    [one] ثانية واحدة
    [two] ثانيتين
    [few] { $count } ثوانٍ
    [many] { $count } ثانية
   *[other] { $count } ثانية
}
duration-minutes = { $count ->
    [zero] { $count } دقيقة
    [one] دقيقة واحدة
    [two] دقيقتين
    [few] { $count } دقائق
    [many] { $count } دقيقة
   *[other] { $count } دقيقة
}
duration-hours = { $count ->
    [zero] { $count } ساعة
    [one] ساعة واحدة
    [two] ساعتين
    [few] { $count } ساعات
    [many] { $count } ساعة
   *[other] { $count } ساعة
}
duration-days = { $count ->
    [zero] { $count } يوم
    [one] يوم واحد
    [two] يومين
    [few] { $count } أيام
    [many] { $count } يومًا
   *[other] { $count } يوم
}


## Email verify_email: after a sign-up, to prove the address

verify-email-subject = تأكيد عنوان بريدك الإلكتروني
verify-email-title = تأكيد عنوان بريدك الإلكتروني
verify-email-preheader = نقرة واحدة ويصبح حسابك في { $app_name } جاهزًا. الرابط صالح لمدة { $lifetime }.
verify-email-lead = أهلًا بك في { $app_name }. يُرجى تأكيد أن هذا هو عنوان بريدك الإلكتروني. الرابط والرمز صالحان لمدة { $lifetime }.
verify-email-button = تأكيد البريد الإلكتروني
verify-email-code = أو يمكنك إدخال هذا الرمز في صفحة إنشاء الحساب:
verify-email-note = إذا لم يكن إنشاء الحساب بطلب منك، فيُرجى تجاهل هذه الرسالة. فمن دون الرابط أو الرمز، لا يمكن لأحد استخدام حساب بعنوانك.
verify-email-footer = وصلتك هذه الرسالة لأن شخصًا ما أنشأ حسابًا في { $app_name } بهذا العنوان.


## Email reset_password: somebody asked for a new password

reset-password-subject = إعادة تعيين كلمة المرور
reset-password-title = إعادة تعيين كلمة المرور
reset-password-preheader = يمكنك الآن اختيار كلمة مرور جديدة لحسابك في { $app_name }. الرابط صالح لمدة { $lifetime }.
reset-password-lead = تلقّينا طلبًا لإعادة تعيين كلمة مرور حسابك في { $app_name }. الرابط والرمز صالحان لمرة واحدة ولمدة { $lifetime }.
reset-password-button = تعيين كلمة مرور جديدة
reset-password-code = أو يمكنك إدخال هذا الرمز في الصفحة التي أُرسل منها الطلب:
reset-password-note = إذا لم يصدر هذا الطلب منك، فيُرجى تجاهل هذه الرسالة. لن يتغير أي شيء، وستبقى كلمة مرورك كما هي.


## Email password_changed: the password was changed

password-changed-subject = تم تغيير كلمة مرورك
password-changed-title = تم تغيير كلمة مرورك
password-changed-preheader = وقت التغيير: { $changed_at }. إذا قام بذلك شخص آخر، فيُرجى اتخاذ إجراء فورًا.
password-changed-lead = تم تغيير كلمة مرور حسابك في { $app_name } بتاريخ { $changed_at }.
password-changed-act = يُرجى في هذه الحالة اختيار كلمة مرور جديدة فورًا، وسيؤدي ذلك أيضًا إلى تسجيل الخروج من جميع الأجهزة.


## Email change_email: to the new address, to prove it

change-email-subject = تأكيد عنوان بريدك الإلكتروني الجديد
change-email-title = تأكيد عنوان بريدك الإلكتروني الجديد
change-email-preheader = بقيت خطوة واحدة لاستخدام هذا العنوان في { $app_name }. الرابط صالح لمدة { $lifetime }.
change-email-lead = يُرجى تأكيد تغيير عنوان البريد الإلكتروني لحسابك في { $app_name } إلى { $new_address }. الرابط والرمز صالحان لمرة واحدة ولمدة { $lifetime }. وإلى أن يتم التأكيد، يبقى العنوان القديم كما هو.
change-email-button = تأكيد هذا العنوان
change-email-code = أو يمكنك إدخال هذا الرمز في الصفحة التي أُرسل منها طلب التغيير:
change-email-note = إذا لم يصدر هذا الطلب منك، فيُرجى تجاهل هذه الرسالة. لن يتغير أي شيء.
change-email-footer = وصلتك هذه الرسالة لأن شخصًا ما أدخل هذا العنوان في { $app_name } على أنه عنوانه.


## Email email_change_requested: to the old address, before the change

email-change-requested-subject = طلب تغيير عنوان بريدك الإلكتروني
email-change-requested-title = طلب تغيير عنوان بريدك الإلكتروني
email-change-requested-preheader = العنوان الجديد بعد تأكيده: { $masked_address }. إذا قام بذلك شخص آخر، فيُرجى اتخاذ إجراء فورًا.
email-change-requested-lead = تلقّينا بتاريخ { $requested_at } طلبًا لتغيير عنوان البريد الإلكتروني لحسابك في { $app_name } إلى { $masked_address }. يسري التغيير عند تأكيده من العنوان الجديد.
email-change-requested-act = هذا يعني أن شخصًا آخر يعرف كلمة مرورك. يُرجى اختيار كلمة مرور جديدة فورًا، فذلك يُبطل أيضًا الرابط المُرسَل إلى العنوان الجديد.


## Email email_changed: to the old address, after the change

email-changed-subject = تم تغيير عنوان بريدك الإلكتروني
email-changed-title = تم تغيير عنوان بريدك الإلكتروني
email-changed-preheader = العنوان الجديد: { $masked_address }. إذا قام بذلك شخص آخر، فيُرجى التراجع عن التغيير خلال 72 ساعة.
email-changed-lead = تم تغيير عنوان البريد الإلكتروني لحسابك في { $app_name } إلى { $masked_address } بتاريخ { $changed_at }.
email-changed-act = يُرجى في هذه الحالة استعادة هذا العنوان. سيتم تسجيل الخروج من جميع الأجهزة، وسنرسل إليك رابطًا لاختيار كلمة مرور جديدة.
email-changed-button = استعادة عنواني
email-changed-until = الرابط صالح لمرة واحدة ولمدة 72 ساعة، أي حتى { $undo_until }.
email-changed-undone = عاد الحساب إلى عنوانه السابق، ولم يعد بإمكانك تسجيل الدخول بهذا العنوان.


## Email welcome: an administrator sends it to any address

welcome-subject = أهلًا بك في تطبيقنا
welcome-title = أهلًا بك في التطبيق
welcome-preheader = يسعدنا انضمامك إلينا.
welcome-lead = يسعدنا انضمامك إلى { $app_name }.
welcome-button = فتح { $app_name }


## Every page

page-error-title = خطأ: { $title }
page-email-label = عنوان البريد الإلكتروني
page-continue = المتابعة إلى { $app_name }
page-status = الحالة { $status }


## Pages of links and codes: whose account it is

page-account = أُنشئ الحساب { $email } بتاريخ { $created_at }.
page-account-name = أُنشئ الحساب { $email } بالاسم «{ $name }» بتاريخ { $created_at }.
page-account-username = أُنشئ الحساب { $email } باسم المستخدم «{ $username }» بتاريخ { $created_at }.
page-account-name-username = أُنشئ الحساب { $email } بالاسم «{ $name }» واسم المستخدم «{ $username }» بتاريخ { $created_at }.


## Page: verify an address

page-verify-title = تأكيد عنوان بريدك الإلكتروني
page-verify-lead = هل هذا حسابك؟ يكفي الضغط على الزر ليصبح جاهزًا.
page-verify-button = تأكيد البريد الإلكتروني
page-verify-not-me = لم أُنشئ هذا الحساب
page-verify-code-title = هل هذا حسابك؟
page-verify-code-lead = الرمز صحيح. إذا كان هذا حسابك، فيكفي الضغط على الزر ليصبح جاهزًا.
page-verify-code-button = نعم، هذا حسابي
page-verified-title = تم تأكيد الحساب
page-verified-heading = تم تأكيد حسابك
page-verified-lead = شكرًا لك. يمكنك الآن إغلاق هذه الصفحة وتسجيل الدخول.
page-verified-thanks = شكرًا لك.


## Page: the owner of an address deletes the account that another person made with it

page-not-me-title = حذف هذا الحساب؟
page-not-me-lead = إذا لم يكن إنشاء الحساب بطلب منك، فهذا يعني أن شخصًا آخر استخدم عنوانك. يُرجى الضغط على الزر لحذف الحساب. لا يمكن التراجع عن هذا الإجراء.
page-not-me-button = حذف هذا الحساب
page-not-me-done-title = تم حذف الحساب
page-not-me-done-lead = لا يمكن لأحد استخدامه بعد الآن، ولا حاجة إلى أي إجراء آخر. يمكنك إنشاء حساب بعنوانك في أي وقت.


## Pages: a link that does not work

page-expired-title = انتهت صلاحية هذا الرابط
page-expired-lead = تعمل الروابط لمدة محدودة حفاظًا على أمان حسابك. يُرجى إدخال عنوان بريدك الإلكتروني للحصول على رابط جديد.
page-expired-log-in = تعمل الروابط لمدة محدودة حفاظًا على أمان حسابك. يُرجى تسجيل الدخول وطلب تغيير عنوان بريدك الإلكتروني مرة أخرى.
page-expired-undo = لا يمكن التراجع عن تغيير عنوان البريد الإلكتروني إلا خلال 72 ساعة. انتهت هذه المهلة، لذلك يبقى العنوان كما هو الآن.
page-expired-button = إرسال رابط جديد
page-invalid-title = هذا الرابط لا يعمل
page-invalid-lead = سبق استخدام الرابط، أو أنه غير مكتمل. يُرجى فتح الرابط من الرسالة مرة أخرى، أو طلب رابط جديد:
page-invalid-verification = رابط تأكيد جديد
page-invalid-reset = إعادة تعيين كلمة المرور


## Pages: ask for a link

page-request-verification-title = الحصول على رابط تأكيد جديد
page-request-verification-lead = يُرجى إدخال عنوان البريد الإلكتروني المستخدَم عند إنشاء الحساب. إذا لم يكن مؤكَّدًا بعد، فسنرسل إليه رابطًا ورمزًا جديدين.
page-request-reset-title = إعادة تعيين كلمة المرور
page-request-reset-lead = يُرجى إدخال عنوان البريد الإلكتروني لحسابك. سنرسل إليه رابطًا ورمزًا لاختيار كلمة مرور جديدة.
page-request-button = إرسال الرابط
page-request-have-code = لديّ رمز
page-requested-title = يُرجى مراجعة بريدك الإلكتروني
page-requested-verification = إذا كان الحساب موجودًا وغير مؤكَّد، فسيصلك رابط جديد قريبًا.
page-requested-reset = يُرجى مراجعة بريدك الإلكتروني للاطلاع على خطوات إعادة تعيين كلمة المرور.
page-requested-help = لم تصلك أي رسالة بعد بضع دقائق؟ يُرجى البحث في مجلد الرسائل غير المرغوب فيها والتحقق من صحة العنوان.


## Pages: the code of an email instead of its link

page-code-heading = الرابط أو الرمز
page-code-lead = تتضمن الرسالة رابطًا ورمزًا. يُرجى فتح الرابط أو إدخال الرمز هنا.
page-enter-code-lead = يُرجى إدخال الرمز المكوّن من 8 أرقام الوارد في رسالتنا.
page-code-label = الرمز الوارد في الرسالة
page-code-again = طلب رابط ورمز جديدين


## Page: a new password

page-reset-title = اختيار كلمة مرور جديدة
page-reset-label = كلمة المرور الجديدة
page-reset-hint = عدد الأحرف من { $min_length } إلى { $max_length }. ويُفضَّل استخدام عدة كلمات لا علاقة بينها.
page-reset-again-label = إعادة إدخال كلمة المرور الجديدة
page-reset-button = حفظ كلمة المرور الجديدة
page-reset-footer = سيؤدي ذلك إلى تسجيل الخروج من جميع الأجهزة المتصلة بحسابك.
page-reset-done-title = تم تغيير كلمة المرور
page-reset-done-heading = تم حفظ كلمة مرورك الجديدة
page-reset-done-lead = يمكنك الآن إغلاق هذه الصفحة وتسجيل الدخول بكلمة المرور الجديدة. تم تسجيل الخروج من جميع الأجهزة التي كانت متصلة بحسابك.
page-reset-done-continue = يمكنك الآن تسجيل الدخول بكلمة المرور الجديدة. تم تسجيل الخروج من جميع الأجهزة التي كانت متصلة بحسابك.


## Pages: another address

page-email-change-title = تأكيد عنوان بريدك الإلكتروني الجديد
page-email-change-lead = يُرجى الضغط على الزر لاستخدام هذا العنوان لحسابك. وبعد ذلك يمكنك تسجيل الدخول به.
page-email-change-not-me = إذا لم يصدر هذا الطلب منك أو لم يكن الحساب لك، فيُرجى إغلاق هذه الصفحة. لن يتغير أي شيء.
page-email-change-button = تأكيد هذا العنوان
page-email-changed-title = تم تغيير عنوان البريد الإلكتروني
page-email-changed-heading = تم تغيير عنوان بريدك الإلكتروني
page-email-changed-lead = من الآن فصاعدًا، يُرجى تسجيل الدخول بالعنوان الجديد.
page-undo-title = التراجع عن تغيير البريد الإلكتروني
page-undo-lead = يُرجى الضغط على الزر لإعادة عنوان حسابك إلى { $email }. سيتم عندئذٍ تسجيل الخروج من جميع الأجهزة، ولن تُقبل كلمة المرور الحالية بعد ذلك. وسنرسل إليك رابطًا لاختيار كلمة مرور جديدة.
page-undo-button = استعادة عنواني
page-undone-title = تمت استعادة عنوانك
page-undone-lead = تم تسجيل الخروج من جميع الأجهزة. يُرجى مراجعة بريدك الإلكتروني، ففيه رابط لاختيار كلمة مرور جديدة، ولا يمكن تسجيل الدخول إلا بها.


## Pages: no more emails of one kind

page-unsubscribe-title = إيقاف هذه الرسائل؟
page-unsubscribe-lead = عند الضغط على الزر لن تُرسَل رسائل أخرى من هذا النوع إلى { $email }. وستظل تصلك الرسائل المتعلقة بحسابك، مثل رابط اختيار كلمة مرور جديدة.
page-unsubscribe-button = إلغاء الاشتراك
page-unsubscribed-title = تم إلغاء الاشتراك
page-unsubscribed-lead = لن تصلك رسائل أخرى من هذا النوع من { $app_name }. وستظل تصلك الرسائل المتعلقة بحسابك، مثل رابط اختيار كلمة مرور جديدة.


## Forms: what is wrong with a field

field-required = يُرجى ملء جميع الحقول.
field-invalid = يُرجى التحقق من البيانات المُدخلة.
address-empty = يُرجى إدخال عنوان بريد إلكتروني.
address-malformed = يجب أن يكون العنوان بالصيغة name@example.org.
address-too-long = العنوان طويل جدًا.
address-forbidden = يجب ألا يحتوي العنوان على مسافات أو أحرف غير مرئية.
address-not-ascii = لا يمكن أن يحتوي الجزء الذي يسبق العلامة @ إلا على الأحرف اللاتينية من a إلى z والأرقام وعلامات الترقيم.
password-length = يجب أن يكون عدد أحرف كلمة المرور الجديدة بين { $min_length } و{ $max_length }.
password-forbidden = يجب ألا تحتوي كلمة المرور الجديدة على أحرف تحكّم.
password-own-words = يجب ألا تتكون كلمة المرور الجديدة من عنوانك أو اسمك.
password-guessable = من السهل تخمين كلمة المرور الجديدة. يُرجى اختيار كلمة مرور أقل شيوعًا أو أطول.
code-malformed = يجب أن يتكون الرمز من 8 أرقام.
code-wrong = الرمز غير صحيح أو انتهت صلاحيته. يُرجى التحقق منه أو طلب رمز جديد.
passwords-differ = كلمتا المرور غير متطابقتين.


## Pages: errors, by their code. The second line of some says what to do

error-user_not_found = لم يعد هذا الحساب موجودًا
error-user_exists = هذا العنوان مستخدَم في حساب آخر
error-already_verified = سبق تأكيد هذا الحساب
error-insufficient_permissions = ليست لديك صلاحية لهذا الإجراء
error-account_disabled = هذا الحساب معطَّل
error-too_many_requests = طلبات كثيرة جدًا
error-too_many_requests-resolution = يُرجى الانتظار قليلًا ثم المحاولة مرة أخرى.
error-malformed_body = تتعذر قراءة النموذج
error-validation_error = النموذج غير مكتمل
error-body_too_large = حجم النموذج كبير جدًا
error-request_timeout = استغرق الطلب وقتًا أطول من اللازم
error-not_found = هذه الصفحة غير موجودة
error-server_error = حدث خطأ ما
error-server_error-resolution = يُرجى المحاولة مرة أخرى لاحقًا.
error-unavailable = الخدمة غير متاحة
error-unavailable-resolution = يُرجى الانتظار قليلًا ثم المحاولة مرة أخرى.


## The start page: what runs

start-title = الصفحة الرئيسية
start-heading = تطبيق { $app_name } قيد التشغيل
start-version = الإصدار
start-database = قاعدة البيانات
start-queue = قائمة الانتظار
start-queue-in-process = داخل هذه العملية
start-emails = رسائل البريد
start-emails-files = ملفات
start-docs = وثائق API
start-inbox = البريد الوارد
start-health = سلامة النظام
start-openapi = OpenAPI
start-sign-up = إنشاء حساب لتلقّي أول رسالة
start-command = أمر لإنشاء حساب
start-link-inbox = بعد ذلك يظهر رابط التأكيد في البريد الوارد.
start-link-sent = بعد ذلك يُرسَل رابط التأكيد إلى ذلك العنوان.
