//! The conformance cases: the same for every connector, official ones and those of other languages. A case takes any packed connector and a
//! vendor's API on loopback, and holds the two to the contract.
//!
//! What a language's tools build is tested where these are installed, and told where not; a stranger's connector by
//! `LONGSHORE_CONFORM` (see `sdk/README.md`).

mod bench;
mod cases;
mod failures;
mod stranger;
pub(crate) mod subjects;
mod wire;

/// The cases for one subject.
macro_rules! conform {
    ($subject:ident) => {
        mod $subject {
            use super::{cases, failures, subjects};

            conform!($subject cases:
                check_names_the_account,
                the_catalog_is_what_the_manifest_declares_and_stable,
                pages_end_and_tell_each_record_once,
                a_page_is_the_same_again_and_after_a_restart,
                large_pages_tell_the_same_as_small_ones,
                text_arrives_unharmed,
                an_empty_account_has_empty_lists,
                changes_are_those_since_the_instant,
                deleted_records_are_told_where_declared,
                stages_are_those_of_the_pipelines,
                less_memory_than_asked_for_is_refused_in_words,
            );
            conform!($subject failures:
                a_lost_token_is_auth,
                what_the_account_may_not_see_is_permission,
                what_is_not_there_is_not_found,
                a_rate_limit_hands_on_the_wait,
                a_failing_server_is_transient,
                nonsense_is_bad_data_and_no_trap,
                a_foreign_cursor_is_stale_and_no_trap,
                an_unknown_object_is_told,
            );
        }
    };
    ($subject:ident $group:ident: $($case:ident),+ $(,)?) => {
        $(
            #[tokio::test]
            async fn $case() {
                $group::$case(&subjects::$subject).await;
            }
        )+
    };
}

conform!(pipedrive);
conform!(example_rust);
conform!(example_python);
conform!(example_javascript);
conform!(a_stranger);
