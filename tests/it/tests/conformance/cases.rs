//! The cases about what a connector reads: account, catalog, pages, changes.
//!
//! They know no vendor: what they compare with is the contract, and what the subject says is in the account.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use market::manifest::Support;
use model::{Catalog, Cursor, FieldKind, Instant, ObjectInfo, Source as _, SourceError, ValueRef};
use sandbox::CellLimits;

use super::bench::{Account, Bench, Prepared, Subject, Told};

/// Small enough that every list of the accounts has several pages.
const SMALL: u32 = 7;

pub(crate) async fn check_names_the_account(subject: &Subject) {
    let Some(bench) = Bench::open(subject, Account::Full).await else {
        return;
    };
    let account = bench.source.check().await.unwrap();
    assert_eq!(account.id, bench.vendor.account);
    assert!(
        !account.name.is_empty() && !account.user.is_empty(),
        "{account:?}"
    );
    bench.source.rest().await;
    let again = bench.source.check().await.unwrap();
    assert_eq!(format!("{account:?}"), format!("{again:?}"), "it is stable");
}

pub(crate) async fn the_catalog_is_what_the_manifest_declares_and_stable(subject: &Subject) {
    let Some(bench) = Bench::open(subject, Account::Full).await else {
        return;
    };
    let Prepared { manifest, .. } = subject.prepare().expect("it was opened");
    let declared = manifest.objects.iter().chain(&manifest.engagements);
    let declared: BTreeMap<&str, _> = declared.map(|grant| (grant.name.as_str(), grant)).collect();
    let found: BTreeSet<String> = bench.objects().into_iter().collect();
    assert_eq!(
        found,
        declared.keys().map(|name| (*name).to_owned()).collect()
    );
    for object in &bench.catalog.objects {
        let grant = declared[object.name.as_str()];
        assert_eq!(
            object.standard.map(|standard| standard.name()),
            grant.standard.as_deref(),
            "{}",
            object.name
        );
        assert_eq!(
            object.incremental,
            grant.supports.contains(&Support::Incremental),
            "{}",
            object.name
        );
        assert!(
            !object.fields.is_empty() && !object.label.is_empty(),
            "{object:?}"
        );
        for association in &object.associations {
            let end = association.to.as_str();
            assert!(found.contains(end), "{} links to {end}", object.name);
        }
    }
    bench.source.rest().await;
    let (again, _) = bench.source.fetch_catalog().await.unwrap();
    assert_eq!(again.pipelines, bench.catalog.pipelines);
    assert_eq!(described(&again), described(&bench.catalog));
}

/// All that a catalog says of its objects, in order.
fn described(catalog: &Catalog) -> Vec<String> {
    let objects = catalog.objects.iter().map(|object| {
        let ObjectInfo {
            name,
            label,
            fields,
            associations,
            ..
        } = &**object;
        let fields: Vec<_> = fields.iter().collect();
        format!("{name} {label} {fields:?} {associations:?}")
    });
    objects.collect()
}

pub(crate) async fn pages_end_and_tell_each_record_once(subject: &Subject) {
    let Some(bench) = Bench::open(subject, Account::Full).await else {
        return;
    };
    for object in bench.objects() {
        let all = bench.list(&object, None, SMALL).await;
        assert!(!all.is_empty(), "{object}: the account has none");
        let ids: BTreeSet<&str> = all.iter().map(|told| told.id.as_str()).collect();
        let is_told_once = ids.len() == all.len() || bench.vendor.loose.contains(&object);
        assert!(is_told_once, "ids of {object} come again");
    }
}

pub(crate) async fn a_page_is_the_same_again_and_after_a_restart(subject: &Subject) {
    let Some(bench) = Bench::open(subject, Account::Full).await else {
        return;
    };
    for object in bench.objects() {
        let (mut cursor, mut pages) = (None, 0);
        loop {
            let ask = || bench.page(&object, cursor.as_ref(), None, SMALL);
            let first = ask().await.unwrap();
            let again = ask().await.unwrap();
            bench.source.rest().await;
            let restarted = ask().await.unwrap();
            assert_eq!(first, again, "page {pages} of {object}, asked again");
            assert_eq!(first, restarted, "page {pages} of {object}, restarted");
            (cursor, pages) = (first.1, pages + 1);
            if cursor.is_none() || pages == 4 {
                break;
            }
        }
    }
}

pub(crate) async fn large_pages_tell_the_same_as_small_ones(subject: &Subject) {
    let Some(bench) = Bench::open(subject, Account::Full).await else {
        return;
    };
    let limit = u32::try_from(CellLimits::default().rows.rows_max).unwrap();
    for object in bench.objects() {
        let small = by_id(bench.list(&object, None, SMALL).await);
        let large = by_id(bench.list(&object, None, limit).await);
        assert_eq!(small, large, "{object}");
    }
}

fn by_id(all: Vec<Told>) -> BTreeMap<String, Told> {
    all.into_iter()
        .map(|told| (told.id.clone(), told))
        .collect()
}

pub(crate) async fn text_arrives_unharmed(subject: &Subject) {
    let Some(bench) = Bench::open(subject, Account::Full).await else {
        return;
    };
    assert!(
        bench.vendor.texts.iter().any(|(_, text)| !text.is_ascii()),
        "the account has more than ASCII"
    );
    for (object, text) in &bench.vendor.texts {
        let mut cursor = None;
        let is_found = loop {
            let request = request(object, cursor, None);
            let page = bench.source.fetch_page(&request).await.unwrap();
            let mut records = page.records.iter();
            if records.any(|record| {
                record
                    .fields()
                    .any(|(_, value)| matches!(value, ValueRef::Text(found) if found == text))
            }) {
                break true;
            }
            cursor = page.next;
            if cursor.is_none() {
                break false;
            }
        };
        assert!(is_found, "{text:?} in {object}");
    }
}

fn request(
    object: &str,
    cursor: Option<Cursor>,
    since: Option<Instant>,
) -> model::source::PageRequest {
    model::source::PageRequest {
        object: object.into(),
        cursor,
        updated_since: since,
        limit: 500,
    }
}

pub(crate) async fn an_empty_account_has_empty_lists(subject: &Subject) {
    let Some(bench) = Bench::open(subject, Account::Empty).await else {
        return;
    };
    bench.source.check().await.unwrap();
    let mut filled = Vec::new();
    for object in bench.objects() {
        let all = bench.list(&object, None, 500).await;
        let is_never_empty = bench.vendor.never_empty.contains(&object);
        if !all.is_empty() && !is_never_empty {
            filled.push(object);
        }
    }
    assert!(filled.is_empty(), "records of {filled:?}");
}

pub(crate) async fn changes_are_those_since_the_instant(subject: &Subject) {
    let Some(bench) = Bench::open(subject, Account::Full).await else {
        return;
    };
    for object in bench.catalog.objects.iter().filter(|o| o.incremental) {
        let object = object.name.as_str();
        let all = bench.list(object, None, 500).await;
        let mut instants: Vec<Instant> = all.iter().filter_map(|told| told.updated_at).collect();
        instants.sort();
        let since = *instants
            .get(instants.len() / 2)
            .unwrap_or_else(|| panic!("{object} is incremental and tells no updated_at"));
        let changed = by_id(bench.list(object, Some(since), SMALL).await);
        let is_loose = bench.vendor.loose.iter().any(|loose| loose == object);
        for told in changed.values() {
            assert!(
                is_loose || told.updated_at.is_some_and(|at| at >= since),
                "{object} before {since}: {told:?}"
            );
        }
        let missed = all.iter().find(|told| {
            told.updated_at.is_some_and(|at| at >= since) && !changed.contains_key(&told.id)
        });
        assert_eq!(missed, None, "{object} since {since} lacks one");
        let future = Instant::from_unix_us(4_102_444_800_000_000).unwrap();
        let none = bench.list(object, Some(future), 500).await;
        assert!(is_loose || none.is_empty(), "{object} from the future");
    }
}

pub(crate) async fn deleted_records_are_told_where_declared(subject: &Subject) {
    let Some(bench) = Bench::open(subject, Account::Full).await else {
        return;
    };
    let Prepared { manifest, .. } = subject.prepare().expect("it was opened");
    let grants = manifest.objects.iter().chain(&manifest.engagements);
    for grant in grants.filter(|grant| grant.supports.contains(&Support::Deletes)) {
        let early = Instant::from_unix_us(0).unwrap();
        let mut all = bench.list(&grant.name, None, 500).await;
        all.extend(bench.list(&grant.name, Some(early), 500).await);
        let is_told = all.iter().any(|told| told.is_deleted);
        assert!(is_told, "no deleted {} is told", grant.name);
    }
}

pub(crate) async fn stages_are_those_of_the_pipelines(subject: &Subject) {
    let Some(bench) = Bench::open(subject, Account::Full).await else {
        return;
    };
    let Prepared { connector, .. } = subject.prepare().expect("it was opened");
    assert_eq!(connector.has_stages(), !bench.catalog.pipelines.is_empty());
    let mut known = BTreeSet::new();
    for pipeline in &bench.catalog.pipelines {
        let object = bench.catalog.find_object(pipeline.object.as_str());
        assert!(object.is_some(), "pipeline {:?}", pipeline.id);
        for stage in &pipeline.stages {
            assert!(known.insert(stage.id.as_str().to_owned()), "{:?}", stage.id);
        }
    }
    let deals = bench.catalog.objects.iter().filter_map(|object| {
        let field = object.fields.find_standard("dealstage")?;
        Some((Arc::clone(object), field))
    });
    for (object, field) in deals {
        assert_eq!(object.fields.get(field).unwrap().kind, FieldKind::Reference);
        let request = request(object.name.as_str(), None, None);
        let page = bench.source.fetch_page(&request).await.unwrap();
        for record in page.records.iter().filter(|record| !record.is_deleted()) {
            let stage = record.find_text(field);
            assert!(
                stage.is_none_or(|stage| known.contains(stage)),
                "{} is in {stage:?}",
                record.id()
            );
        }
    }
}

pub(crate) async fn less_memory_than_asked_for_is_refused_in_words(subject: &Subject) {
    let less = |limits: &mut CellLimits| limits.memory_max_bytes = 512 << 10;
    let Some(bench) = Bench::connect(subject, Account::Full, less).await else {
        return;
    };
    let refused = bench.source.check().await.unwrap_err();
    let SourceError::Trapped(message) = &refused else {
        panic!("{refused:?}");
    };
    assert!(
        message.contains("memory limit was hit") && message.contains("524288"),
        "{message}"
    );
}
