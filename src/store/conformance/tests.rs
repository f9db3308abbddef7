//! One test for each rule.

/// Makes one named `#[test]` for each rule of [`KeyStore`](crate::store::KeyStore): one call a module.
///
/// It takes a [`Fixture`](crate::store::conformance::Fixture) or a closure that opens a store. Each test evaluates
/// the expression anew.
///
/// ```
/// #[cfg(test)]
/// mod conformance {
///     use access_keys::store::MemoryStore; // the host's own store
///
///     access_keys::conformance_tests!(|| async { MemoryStore::new() });
/// }
/// # fn main() {}
/// ```
///
/// The tests run in a runtime of tokio on their own thread, with whatever of tokio (time, sockets) the host has
/// enabled; a store that needs none of it does not notice. A host with another runtime, or other wishes, gives the
/// attribute of its tests first; the tests are then `async`:
///
/// ```
/// #[cfg(test)]
/// mod conformance {
///     use access_keys::store::MemoryStore;
///
///     access_keys::conformance_tests!(#[tokio::test(flavor = "multi_thread")], || async { MemoryStore::new() });
/// }
/// # fn main() {}
/// ```
///
/// A rule that could not be asked passes as a test and prints why; [`run`](crate::store::conformance::run) counts it
/// apart.
#[macro_export]
macro_rules! conformance_tests {
    (#[$attribute:meta], $fixture:expr $(,)?) => {
        fn __conformance_fixture() -> impl $crate::store::conformance::Fixture {
            $fixture
        }

        $crate::__conformance_rules! { [$crate::__conformance_async_tests] [#[$attribute]] }
    };
    ($fixture:expr $(,)?) => {
        fn __conformance_fixture() -> impl $crate::store::conformance::Fixture {
            $fixture
        }

        $crate::__conformance_rules! { [$crate::__conformance_plain_tests] [] }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __conformance_plain_tests {
    ([] $($number:literal $module:ident $name:ident)*) => {$(
        #[::core::prelude::v1::test]
        fn $name() {
            let fixture = __conformance_fixture();
            let checked = $crate::store::conformance::__private::checked($number, &fixture);
            if let ::core::result::Result::Err(failure) =
                $crate::store::conformance::__private::block_on(checked)
            {
                ::core::panic!("{failure}");
            }
        }
    )*};
}

#[doc(hidden)]
#[macro_export]
macro_rules! __conformance_async_tests {
    ([$(#[$attribute:meta])*] $($number:literal $module:ident $name:ident)*) => {
        $crate::__conformance_async_tests! { @each [$(#[$attribute])*] $($number $name)* }
    };
    (@each $attributes:tt $($number:literal $name:ident)*) => {$(
        $crate::__conformance_async_tests! { @one $attributes $number $name }
    )*};
    (@one [$(#[$attribute:meta])*] $number:literal $name:ident) => {
        $(#[$attribute])*
        async fn $name() {
            let fixture = __conformance_fixture();
            let checked = $crate::store::conformance::__private::checked($number, &fixture);
            if let ::core::result::Result::Err(failure) = checked.await {
                ::core::panic!("{failure}");
            }
        }
    };
}

/// What the tests are made of.
#[doc(hidden)]
pub mod __private {
    use crate::store::conformance::{Fixture, Rule, Verdict};

    /// Asks the rule with this number. The error is what the test says.
    ///
    /// # Errors
    /// How the store broke the rule.
    pub async fn checked(number: u8, fixture: &impl Fixture) -> Result<(), String> {
        let rule = Rule::all().find(|rule| rule.number() == number).ok_or("there is no such rule")?;
        match rule.check(fixture).await {
            Verdict::Passed => Ok(()),
            Verdict::NotAsked { because } => {
                eprintln!("rule {rule} was not asked: {because}");
                Ok(())
            }
            Verdict::Failed(failure) => Err(failure.to_string()),
        }
    }

    /// Runs a test in a runtime of its own.
    ///
    /// # Errors
    /// Those of `test`, and that there is no runtime.
    pub fn block_on(test: impl Future<Output = Result<(), String>>) -> Result<(), String> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.map_err(|error| format!("no runtime could be made: {error}"))?.block_on(test)
    }
}
