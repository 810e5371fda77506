//! Holds the macro that makes a component of a connector.
//!
//! It does nothing off `wasm32` but check that the traits are there.

/// Exports a connector, with the optional interfaces that it has: `export!(Pipedrive)`, `export!(Pipedrive: engagements, stages)`.
///
/// The name is a type that implements [`Connector`](crate::Connector), and [`Engagements`](crate::Engagements) and
/// [`Stages`](crate::Stages) where they are listed. Off `wasm32` only that is checked, so that the same crate is tested natively.
#[macro_export]
macro_rules! export {
    ($connector:ident) => {
        $crate::export!($connector:);
    };
    ($connector:ident : $($interface:ident),* $(,)?) => {
        const _: () = {
            $crate::check::connector::<$connector>();
            $( $crate::check::$interface::<$connector>(); )*
        };
        #[cfg(target_arch = "wasm32")]
        const _: () = {
            type Exported = $crate::guest::Exported<$connector>;
            $crate::guest::export_connector!(Exported with_types_in $crate::guest::base);
            $( $crate::__export_interface!($interface Exported); )*
        };
    };
}

/// Exports one optional interface.
#[doc(hidden)]
#[macro_export]
macro_rules! __export_interface {
    (engagements $exported:ident) => {
        $crate::guest::export_engagements!($exported with_types_in $crate::guest::engagements);
    };
    (stages $exported:ident) => {
        $crate::guest::export_stages!($exported with_types_in $crate::guest::stages);
    };
}

/// Checks at compile time that a connector implements what its export macro lists.
#[doc(hidden)]
pub mod check {
    /// Every connector.
    pub const fn connector<T: crate::Connector>() {}
    /// A connector with engagements.
    pub const fn engagements<T: crate::Engagements>() {}
    /// A connector with stages.
    pub const fn stages<T: crate::Stages>() {}
}
