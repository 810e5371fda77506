//! The portal as a source: all records of an object page by page, or those that changed since an instant.
//!
//! What changed is searched, because lists cannot be narrowed; a search shows at most 10,000 results, so it is walked along the time of
//! the change. Its index lags by seconds: whoever asks again since the same instant misses nothing.

use async_trait::async_trait;
use model::catalog::StandardObject;
use model::grant::Method;
use model::source::PageRequest;
use model::{
    Account, Catalog, Cursor, DestinationError, Finding, FindingCode, Instant, RecordPage, Source,
    SourceError,
};
use serde_json::json;

use crate::answer::Records;
use crate::api::{Repeat, read};
use crate::create::find_kind;
use crate::grant::SEARCH;
use crate::objects::Kind;
use crate::office;
use crate::portal::Portal;
use crate::read::{Reader, asked, list};

/// The most results of one page of a search, and of one search.
const SEARCH_PAGE: usize = 200;
const SEARCH_WINDOW: usize = 10_000;

/// Properties of a list: an address has its limit, so only what people write is asked for.
const NAMES_MAX_BYTES: usize = 6_000;

#[async_trait]
impl Source for Portal {
    async fn check(&self) -> Result<Account, SourceError> {
        Ok(self.account().await.map_err(failed)?.0)
    }

    async fn fetch_catalog(&self) -> Result<(Catalog, Vec<Finding>), SourceError> {
        let catalog = self.catalog().await.map_err(failed)?;
        let described = self.described().await.map_err(failed)?;
        let denied = described.denied.iter().map(|(object, why)| Finding {
            code: FindingCode::NoPermission,
            object: object.clone(),
            record: None,
            field: None,
            message: format!("{object} is left out: {why}"),
        });
        Ok((catalog, denied.collect()))
    }

    async fn fetch_page(&self, request: &PageRequest) -> Result<RecordPage, SourceError> {
        let whole = |records| RecordPage {
            records,
            rejected: Vec::new(),
            next: None,
        };
        match StandardObject::find(request.object.as_str()) {
            Some(StandardObject::Owner) => {
                return Ok(whole(self.owners().await.map_err(failed)?.as_ref().clone()));
            }
            Some(StandardObject::Currency) => {
                return Ok(whole(office::currencies(
                    &self.account().await.map_err(failed)?.1,
                )));
            }
            _ => {}
        }
        let kind = find_kind(&request.object)
            .map_err(|error| SourceError::Unsupported(error.to_string()))?;
        match request.updated_since {
            None => self.list_page(kind, request).await,
            Some(since) => self.changed_page(kind, request, since).await,
        }
    }
}

impl Portal {
    async fn list_page(
        &self,
        kind: &Kind,
        request: &PageRequest,
    ) -> Result<RecordPage, SourceError> {
        let described = self.described().await.map_err(failed)?;
        let info = described.object(&request.object).map_err(failed)?;
        let after = request.cursor.as_ref().map(text).transpose()?;
        let paths: Vec<&str> = info
            .associations
            .iter()
            .filter_map(|association| Some(Kind::find(&association.to)?.path))
            .collect();
        let names = property_names(info);
        let body = list(&self.api, kind, &names, &paths, after.as_deref())
            .await
            .map_err(failed)?;
        let page: Records<'_> = read(&body, "listing records").map_err(failed)?;
        let mut reader = Reader::new(info);
        for record in &page.results {
            reader.take(record);
            for (at, association) in (0_u16..).zip(&info.associations) {
                let ends = Kind::find(&association.to).and_then(|other| {
                    let told = record.associations.as_ref()?;
                    told.get(other.path)
                        .or_else(|| told.get(other.path.replace('_', " ").as_str()))
                });
                // An end stands once for each of its types.
                let mut seen = std::collections::HashSet::new();
                for end in ends
                    .iter()
                    .flat_map(|ends| &ends.results)
                    .filter(|end| seen.insert(&end.id))
                {
                    reader.link(at, &end.id);
                }
            }
        }
        let next = page.paging.and_then(|paging| paging.next);
        Ok(RecordPage {
            records: reader.finish(),
            rejected: Vec::new(),
            next: next.map(|next| Cursor::new(next.after.into_bytes())),
        })
    }

    /// One page of what changed since. Associations are not searched for: they come with the next full list.
    async fn changed_page(
        &self,
        kind: &Kind,
        request: &PageRequest,
        since: Instant,
    ) -> Result<RecordPage, SourceError> {
        let described = self.described().await.map_err(failed)?;
        let info = described.object(&request.object).map_err(failed)?;
        let mut walk = match &request.cursor {
            Some(cursor) => Walk::parse(&text(cursor)?)
                .ok_or_else(|| SourceError::StaleCursor("it is not one of ours".to_owned()))?,
            None => Walk {
                from_ms: since.unix_us().div_euclid(1_000),
                behind: 0,
                after: 0,
            },
        };
        let body = walk.query(kind, &asked(kind, &property_names(info)));
        let path = self.api.version.objects(kind.path, "/search");
        let body = self
            .api
            .call(
                (SEARCH, Method::Post, &path),
                Vec::new(),
                Some(body),
                Repeat::Safe,
            )
            .await;
        let body = body.map_err(|found| failed(found.stop(&format!("searching {}", kind.path))))?;
        let page: Records<'_> = read(&body, "searching records").map_err(failed)?;
        let mut reader = Reader::new(info);
        page.results.iter().for_each(|record| reader.take(record));
        let last = page.results.last().map(|last| {
            let changed = last
                .properties
                .find(kind.modified)
                .and_then(|at| at.parse::<Instant>().ok());
            (changed, last.id.parse::<u64>().unwrap_or(0))
        });
        let has_more = page.paging.is_some_and(|paging| paging.next.is_some());
        let next = has_more
            .then(|| walk.go_on(page.results.len(), last))
            .flatten();
        Ok(RecordPage {
            records: reader.finish(),
            rejected: Vec::new(),
            next: next.map(|walk| Cursor::new(walk.to_string().into_bytes())),
        })
    }
}

/// Where a search stands: what changed at or after `from_ms`, of those that changed just then the ids behind `behind`, from the result
/// `after` on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Walk {
    from_ms: i64,
    behind: u64,
    after: usize,
}

impl Walk {
    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split(' ');
        Some(Self {
            from_ms: parts.next()?.parse().ok()?,
            behind: parts.next()?.parse().ok()?,
            after: parts.next()?.parse().ok()?,
        })
    }

    /// Everything that changed later, or just then with a greater id: two groups of filters, OR between them.
    fn query(self, kind: &Kind, properties: &[&str]) -> Vec<u8> {
        let filter = |property: &str, operator: &str, value: String| json!({"propertyName": property, "operator": operator, "value": value});
        let from = self.from_ms.to_string();
        let groups = if self.behind == 0 {
            json!([{"filters": [filter(kind.modified, "GTE", from)]}])
        } else {
            json!([
                {"filters": [filter(kind.modified, "GT", from.clone())]},
                {"filters": [filter(kind.modified, "EQ", from), filter("hs_object_id", "GT", self.behind.to_string())]},
            ])
        };
        let mut names: Vec<&str> = vec![kind.modified];
        // The body of a search has a limit of 3,000 characters.
        let mut bytes = 600;
        for name in properties {
            bytes += name.len() + 3;
            if bytes > 2_900 {
                break;
            }
            names.push(name);
        }
        let body = json!({
            "filterGroups": groups,
            "sorts": [{"propertyName": kind.modified, "direction": "ASCENDING"}],
            "properties": names,
            "limit": SEARCH_PAGE,
            "after": self.after.to_string(),
        });
        body.to_string().into_bytes()
    }

    /// The next page: of this search, or where its window ends a new search behind the last record.
    fn go_on(&mut self, count: usize, last: Option<(Option<Instant>, u64)>) -> Option<Self> {
        let (changed, id) = last?;
        if self.after + count + SEARCH_PAGE <= SEARCH_WINDOW {
            return Some(Self {
                after: self.after + count,
                ..*self
            });
        }
        let from_ms = changed.map_or(self.from_ms, |changed| changed.unix_us().div_euclid(1_000));
        Some(Self {
            from_ms,
            behind: id,
            after: 0,
        })
    }
}

impl std::fmt::Display for Walk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_fmt(format_args!(
            "{} {} {}",
            self.from_ms, self.behind, self.after
        ))
    }
}

/// The properties that a list asks for: those that people fill, as many as an address has room for.
fn property_names(info: &model::ObjectInfo) -> Vec<&str> {
    let mut bytes = 0;
    let filled = info.fields.iter().filter(|field| !field.read_only);
    let names = filled.map(|field| field.name.as_str()).take_while(|name| {
        bytes += name.len() + 3;
        bytes <= NAMES_MAX_BYTES
    });
    names.collect()
}

fn text(cursor: &Cursor) -> Result<String, SourceError> {
    String::from_utf8(cursor.as_bytes().to_vec())
        .map_err(|_| SourceError::StaleCursor("it is not one of ours".to_owned()))
}

fn failed(error: DestinationError) -> SourceError {
    match error {
        DestinationError::Auth(message) => SourceError::Auth(message),
        DestinationError::RateLimited {
            retry_after,
            message,
        } => SourceError::RateLimited {
            retry_after,
            message,
        },
        DestinationError::Ambiguous(message) => SourceError::Transient(message),
        DestinationError::Unusable(message) => SourceError::Permanent(message),
    }
}
