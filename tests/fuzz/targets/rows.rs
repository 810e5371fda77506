//! Pages of rows from a connector: whatever the bytes, they are read or refused, and what was read is written and read back the same.
#![no_main]

use std::sync::{Arc, LazyLock};

use libfuzzer_sys::fuzz_target;
use model::catalog::{AssociationInfo, FieldInfo, FieldTable};
use model::row::{RowLimits, RowWriter};
use model::value::FieldKind;
use model::{Batch, ObjectInfo};

static OBJECT: LazyLock<Arc<ObjectInfo>> = LazyLock::new(|| {
    let fields = FieldKind::ALL
        .into_iter()
        .map(|kind| FieldInfo::new(kind.name(), kind))
        .collect();
    Arc::new(ObjectInfo {
        name: "person".into(),
        fields: FieldTable::new(fields).expect("the kinds have different names"),
        associations: vec![AssociationInfo {
            name: "organization".into(),
            to: "organization".into(),
            label: None,
        }],
        ..ObjectInfo::default()
    })
});

fuzz_target!(|page: &[u8]| {
    let limits = RowLimits {
        rows_max: 64,
        associations_max: 8,
        id_max_bytes: 32,
        ..RowLimits::default()
    };
    let Ok((batch, rejected)) = Batch::decode(OBJECT.clone(), page.to_vec(), &limits) else {
        return;
    };
    assert!(batch.len() + rejected.len() <= limits.rows_max);
    let mut out = RowWriter::new();
    for record in batch.iter() {
        assert!(!record.id().is_empty() && record.id().len() <= limits.id_max_bytes);
        record.write_row(&mut out);
    }
    let limits = RowLimits::default();
    let (again, rejected) = Batch::decode(OBJECT.clone(), out.into_bytes(), &limits)
        .expect("what was read can be written");
    assert!(rejected.is_empty(), "{rejected:?}");
    assert_eq!(batch.len(), again.len());
    for (one, two) in batch.iter().zip(again.iter()) {
        assert_eq!(one.id(), two.id());
        assert!(one.fields().eq(two.fields()));
        assert!(one.associations().eq(two.associations()));
    }
});
