//! Which parts are which cluster: ids that are not told are read from the rows, and equal ids are kept apart.

use std::collections::{BTreeMap, BTreeSet};

use super::super::findings;
use super::super::queries::traffic_measures;
use super::super::rows::is_known;
use super::super::types::{FetchedRows, GraphRequest, Protocol};
use super::{ClusterKey, ClusterPart, PartMetrics, Realm, Realms, Server, unknown_protocols};
use crate::graph::declared::Declared;
use crate::model::ObjectKind;

/// Every cluster has this namespace from its first moment on, so its uid tells clusters apart.
const FIRST_NAMESPACE: &str = "kube-system";

/// What is known of a part before anything is drawn.
struct Member<'a> {
    part: &'a ClusterPart<'a>,
    /// Position among the servers; `None` if there is none.
    server: Option<usize>,
    name: Option<&'a str>,
    /// Of the first namespace.
    uid: Option<&'a str>,
    /// Clusters whose proxies report to its server.
    seen: BTreeSet<&'a str>,
}

/// Parts that are one cluster, or that nothing tells apart.
type Group<'a> = Vec<Member<'a>>;

pub(super) fn realms<'a>(request: &GraphRequest, parts: &'a [ClusterPart<'a>]) -> Realms<'a> {
    let mut parts: Vec<&ClusterPart<'a>> = parts.iter().collect();
    parts.sort_by_key(|part| part.context);
    let told: Vec<(&'a str, &'a FetchedRows)> = parts
        .iter()
        .filter_map(|part| match part.metrics {
            PartMetrics::Own(rows) => Some((part.context, rows)),
            PartMetrics::SharedWith(_) => None,
        })
        .collect();
    let (groups, mut said) = groups(members(request, &parts, &told));
    let keys = keys(&groups, &mut said);
    let servers: Vec<Server<'a>> = told
        .iter()
        .enumerate()
        .map(|(at, &(context, rows))| {
            let asked_by = |group: &Group<'a>| {
                let mut members = group.iter();
                members.any(|member| member.server == Some(at))
            };
            let of_context = |group: &Group<'a>| {
                let mut members = group.iter();
                members.any(|member| member.part.context == context)
            };
            let own = groups.iter().position(of_context);
            let home = own
                .and_then(|own| *keys.get(own)?)
                .unwrap_or(ClusterKey::NONE);
            let is_shared = groups.iter().filter(|group| asked_by(group)).count() > 1;
            Server {
                rows,
                context: Some(context),
                home,
                unnamed: if is_shared { ClusterKey::NONE } else { home },
                unknown: unknown_protocols(request, rows),
            }
        })
        .collect();
    let realms = groups
        .iter()
        .zip(keys)
        .map(|(group, key)| Realm {
            key,
            context: context(group),
            declared: Declared::read(group.iter().flat_map(|member| member.part.objects)),
            unknown: unknown(request, &servers, group),
        })
        .collect();
    Realms::new(realms, servers, said)
}

fn members<'a>(
    request: &GraphRequest,
    parts: &[&'a ClusterPart<'a>],
    servers: &[(&'a str, &'a FetchedRows)],
) -> Vec<Member<'a>> {
    let reporters: Vec<BTreeSet<&'a str>> = servers
        .iter()
        .map(|(_, rows)| reporters(request, rows))
        .collect();
    let told = |part: &ClusterPart<'a>| part.cluster.filter(|name| is_known(name));
    let claimed: BTreeSet<&str> = parts.iter().filter_map(|part| told(part)).collect();
    let of_server = |part: &ClusterPart<'a>| {
        let (wanted, is_own) = match part.metrics {
            PartMetrics::Own(_) => (part.context, true),
            PartMetrics::SharedWith(other) => (other, false),
        };
        let at = servers.iter().position(|(context, _)| *context == wanted);
        (at, is_own)
    };
    parts
        .iter()
        .map(|&part| {
            let (server, is_own) = of_server(part);
            let seen = server.and_then(|at| reporters.get(at));
            Member {
                part,
                server,
                name: told(part).or_else(|| learnt(seen?, &claimed, is_own)),
                uid: first_namespace(part),
                seen: seen.cloned().unwrap_or_default(),
            }
        })
        .collect()
}

/// Clusters whose proxies report to this server.
fn reporters<'a>(request: &GraphRequest, rows: &'a FetchedRows) -> BTreeSet<&'a str> {
    let measures = traffic_measures(request);
    let answers = rows.answers.iter();
    answers
        .filter(|(query, _)| measures.contains(&query.measure))
        .filter_map(|(_, answer)| answer.as_ref().ok())
        .flatten()
        .filter_map(|row| {
            let own = match row.labels.get("reporter")?.as_str() {
                "source" => "source_cluster",
                "destination" => "destination_cluster",
                _ => return None,
            };
            let name = row.labels.get(own)?.as_str();
            is_known(name).then_some(name)
        })
        .collect()
}

/// The one name that a context without any can have. A server of its own that hears of one cluster hears of its own.
fn learnt<'a>(
    reporters: &BTreeSet<&'a str>,
    claimed: &BTreeSet<&str>,
    is_own: bool,
) -> Option<&'a str> {
    let only = |mut names: Vec<&'a str>| names.pop().filter(|_| names.is_empty());
    let all: Vec<&'a str> = reporters.iter().copied().collect();
    if is_own && all.len() == 1 {
        return only(all);
    }
    only(
        all.into_iter()
            .filter(|name| !claimed.contains(name))
            .collect(),
    )
}

fn first_namespace<'a>(part: &ClusterPart<'a>) -> Option<&'a str> {
    let mut objects = part.objects.iter();
    let found = objects.find(|object| {
        object.reference.kind == ObjectKind::Namespace && object.reference.name == FIRST_NAMESPACE
    });
    found
        .map(|object| object.uid.as_str())
        .filter(|uid| !uid.is_empty())
}

fn is_one_cluster(a: &Member<'_>, b: &Member<'_>) -> bool {
    a.part.context == b.part.context || (a.uid.is_some() && a.uid == b.uid)
}

/// Parts that are one cluster, together; and those that have both their id and their server in common.
fn groups(members: Vec<Member<'_>>) -> (Vec<Group<'_>>, Vec<crate::model::Finding>) {
    let mut groups: Vec<Group<'_>> = Vec::new();
    let mut said = Vec::new();
    for member in members {
        let same_cluster = |group: &Group<'_>| group.iter().any(|one| is_one_cluster(one, &member));
        let cannot_tell = |group: &Group<'_>| {
            let mut others = group.iter();
            others.any(|one| {
                one.name.is_some() && one.name == member.name && one.server == member.server
            })
        };
        if let Some(group) = groups.iter_mut().find(|group| same_cluster(group)) {
            if let Some(first) = group.first() {
                said.extend(findings::one_cluster(
                    first.part.context,
                    member.part.context,
                ));
            }
            group.push(member);
        } else if let Some(group) = groups.iter_mut().find(|group| cannot_tell(group)) {
            if let (Some(first), Some(name)) = (group.first(), member.name) {
                said.push(findings::drawn_as_one(
                    name,
                    first.part.context,
                    member.part.context,
                ));
            }
            group.push(member);
        } else {
            groups.push(vec![member]);
        }
    }
    (groups, said)
}

/// The key of each group: its name, with its context where others have that name, too.
fn keys<'a>(
    groups: &[Group<'a>],
    said: &mut Vec<crate::model::Finding>,
) -> Vec<Option<ClusterKey<'a>>> {
    let name = |group: &Group<'a>| group.iter().find_map(|member| member.name);
    let first = |group: &Group<'a>| group.first().map(|member| member.part.context);
    let mut namesakes: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for group in groups {
        if let (Some(name), Some(context)) = (name(group), first(group)) {
            namesakes.entry(name).or_default().push(context);
        }
    }
    for (name, contexts) in &namesakes {
        said.extend(findings::namesakes(name, contexts));
    }
    if groups.len() > 1 {
        let unnamed = groups
            .iter()
            .flatten()
            .filter(|member| member.name.is_none());
        let doubted = unnamed.filter(|member| member.seen.len() > 1);
        said.extend(
            doubted.map(|member| findings::which_cluster(member.part.context, &member.seen)),
        );
    }
    groups
        .iter()
        .map(|group| match name(group) {
            Some(name) => {
                let is_alone = namesakes.get(name).is_none_or(|all| all.len() == 1);
                let context = if is_alone { None } else { first(group) };
                Some(ClusterKey { name, context })
            }
            None if groups.len() == 1 => None,
            None => Some(ClusterKey {
                context: first(group),
                ..ClusterKey::NONE
            }),
        })
        .collect()
}

/// The context that reaches the cluster; the first where several do, none where they may be several clusters.
fn context<'a>(group: &Group<'a>) -> Option<&'a str> {
    let first = group.first()?;
    let mut others = group.iter();
    others
        .all(|member| is_one_cluster(first, member))
        .then_some(first.part.context)
}

/// What no server of the group told.
fn unknown(
    request: &GraphRequest,
    servers: &[Server<'_>],
    group: &Group<'_>,
) -> BTreeSet<Protocol> {
    let everything = || unknown_protocols(request, &FetchedRows::default());
    let of_member = |member: &Member<'_>| match member.server.and_then(|at| servers.get(at)) {
        Some(server) => server.unknown.clone(),
        None => everything(),
    };
    let mut unknown = everything();
    for member in group {
        unknown.retain(|protocol| of_member(member).contains(protocol));
    }
    unknown
}
