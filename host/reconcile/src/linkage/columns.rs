//! Which columns are compared, where there are more than can be or some say the same.

use super::kind::Kind;
use super::level::FIELDS_MAX;
use super::records::Column;

/// For each column, whether it is compared: all are, but for a full name beside the given name and surname that it is made of, and what
/// tells the least where there are more than [`FIELDS_MAX`].
pub fn choose(columns: &[Column]) -> Vec<bool> {
    let has = |kind: Kind| columns.iter().any(|column| column.kind == kind);
    let has_parts = has(Kind::GivenName) && has(Kind::Surname);
    let mut order: Vec<usize> = (0..columns.len())
        .filter(|at| !(has_parts && columns[*at].kind == Kind::FullName))
        .collect();
    // What a column was called or holds for certain goes before what may be anything.
    order.sort_by_key(|at| match columns[*at].kind {
        Kind::Category => 2,
        Kind::Text | Kind::Number => 1,
        _ => 0,
    });
    order.truncate(FIELDS_MAX);
    (0..columns.len()).map(|at| order.contains(&at)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_name_beside_its_parts_says_nothing_new() {
        let column = |kind: Kind| Column {
            name: kind.name().to_owned(),
            kind,
        };
        let parts = [Kind::FullName, Kind::GivenName, Kind::Surname].map(column);
        assert_eq!(choose(&parts), [false, true, true]);
        assert_eq!(choose(&parts[..2]), [true, true]);
        let many: Vec<Column> = vec![column(Kind::Text); FIELDS_MAX + 1];
        let many = [many, vec![column(Kind::Email)]].concat();
        let chosen = choose(&many);
        assert_eq!(chosen.iter().filter(|is| **is).count(), FIELDS_MAX);
        assert_eq!(chosen.last(), Some(&true));
    }
}
