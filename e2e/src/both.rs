//! Macros for tests that run on both kinds of stack.

/// Makes each function a test on the embedded stack and one on the full stack: `<name>::embedded`, `<name>::full`.
///
/// ```ignore
/// both! {
///     async fn a_name_is_kept(stack: &Stack) { … }
///     async fn with_a_setting(stack: &Stack, VERIFY_ON_GET = "false") { … }
/// }
/// ```
///
/// A body may use `?` with any error that `anyhow` accepts. After it, the logs are searched for secrets. `rstest` was tried:
/// each test needs four attributes and one more level of nesting.
#[macro_export]
macro_rules! both {
    ($(
        $(#[$attribute:meta])*
        async fn $name:ident($stack:ident: &Stack $(, $key:ident = $value:expr)*) $body:block
    )*) => {$(
        $(#[$attribute])*
        mod $name {
            use super::*;

            async fn test($stack: &$crate::stack::Stack) -> anyhow::Result<()> {
                $body
                Ok(())
            }

            fn options(kind: $crate::stack::Kind) -> $crate::stack::StackOptions {
                $crate::stack::StackOptions::new(kind)$(.with(stringify!($key), $value))*
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn embedded() -> anyhow::Result<()> {
                $crate::stack::run(options($crate::stack::Kind::Embedded), test).await
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn full() -> anyhow::Result<()> {
                $crate::stack::run(options($crate::stack::Kind::Full), test).await
            }
        }
    )*};
}

/// The same for functions whose stack needs more than settings: each gets the kind, or is given to a function of the file
/// that starts the stack and runs it.
///
/// ```ignore
/// on_both!(a_collector_sees_one_trace);
/// on_both!(with_frontend: a_person_signs_up, a_person_logs_in);
/// ```
#[macro_export]
macro_rules! on_both {
    (@ $name:ident, $kind:ident => $test:expr) => {
        mod $name {
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn embedded() -> anyhow::Result<()> {
                let $kind = $crate::stack::Kind::Embedded;
                $test.await
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn full() -> anyhow::Result<()> {
                let $kind = $crate::stack::Kind::Full;
                $test.await
            }
        }
    };
    ($run:ident: $($name:ident),* $(,)?) => {
        $($crate::on_both!(@ $name, kind => super::$run(kind, super::$name));)*
    };
    ($($name:ident),* $(,)?) => {
        $($crate::on_both!(@ $name, kind => super::$name(kind));)*
    };
}
