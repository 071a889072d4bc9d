//! Further namespaces beside the shop, for meshes of any size: about a dozen services each, in layers, with some hubs that
//! everybody calls and about five calls for each service.

use serde_json::json;

use crate::random::{Dice, hash};
use crate::shop::enter;
use crate::world::{Burst, Call, Character, OperationIndex, Place, Protocol, World};

const PER_NAMESPACE: usize = 12;
/// Front, middle layers, stores.
const LAYERS: usize = 6;
const CALLS: usize = 5;

const TEAMS: [&str; 24] = [
    "search",
    "billing",
    "identity",
    "media",
    "logistics",
    "pricing",
    "loyalty",
    "support",
    "content",
    "partners",
    "warehouse",
    "delivery",
    "returns",
    "risk",
    "mobile",
    "insights",
    "messaging",
    "ads",
    "tax",
    "catalogue",
    "suppliers",
    "vouchers",
    "stores",
    "fleet",
];
const PARTS: [&str; 24] = [
    "api", "gateway", "query", "planner", "profile", "session", "index", "ranking", "rules",
    "quota", "history", "export", "events", "mapper", "limits", "images", "tokens", "schedule",
    "audit", "geo", "matcher", "store", "cache", "ledger",
];

/// A service to be: where it stands and how deep.
struct Sketch {
    namespace: usize,
    part: usize,
    layer: usize,
}

/// A built service that others may call.
struct Built {
    operation: OperationIndex,
    namespace: usize,
    layer: usize,
    hub: bool,
    called: bool,
}

/// Adds namespaces until the mesh has `services` of them. The gateway must be there already.
pub(crate) fn build(world: &mut World, seed: u64, services: usize) {
    let present = world
        .apps
        .iter()
        .filter(|app| app.place != Place::Outside)
        .count();
    let Some(gateway) = world
        .apps
        .iter()
        .position(|app| app.place == Place::Gateway)
    else {
        return;
    };
    let mut dice = Dice::new(hash(&[seed, 0x67]));
    let mut sketches = sketches(services.saturating_sub(present));
    // Deepest first: callees before callers.
    sketches.sort_by_key(|sketch| std::cmp::Reverse(sketch.layer));
    let mut built: Vec<Built> = Vec::with_capacity(sketches.len());
    for sketch in &sketches {
        let operation = add_service(world, &mut dice, sketch, &mut built);
        built.push(Built {
            operation,
            namespace: sketch.namespace,
            layer: sketch.layer,
            hub: sketch.layer + 1 == LAYERS && dice.happens(0.2),
            called: false,
        });
    }
    for front in built.iter().filter(|service| service.layer == 0) {
        let rate = dice.between(2.0, 30.0).round();
        enter(world, gateway, front.operation, rate);
    }
}

fn sketches(count: usize) -> Vec<Sketch> {
    (0..count)
        .map(|index| {
            let part = index % PER_NAMESPACE;
            Sketch {
                namespace: index / PER_NAMESPACE,
                part,
                layer: part * LAYERS / PER_NAMESPACE,
            }
        })
        .collect()
}

fn namespace_name(index: usize) -> String {
    let team = TEAMS[index % TEAMS.len()];
    match index / TEAMS.len() {
        0 => team.to_owned(),
        round => format!("{team}-{}", round + 1),
    }
}

fn add_service(
    world: &mut World,
    dice: &mut Dice,
    sketch: &Sketch,
    built: &mut [Built],
) -> OperationIndex {
    let namespace = namespace_name(sketch.namespace);
    // Another stretch of the words in each namespace, so that names differ between them.
    let name = PARTS[(sketch.part + 5 * sketch.namespace) % PARTS.len()];
    let bottom = sketch.layer + 1 == LAYERS;
    let protocol = match dice.share() {
        share if bottom && share < 0.5 => Protocol::Tcp,
        share if share < 0.35 && sketch.layer > 0 => Protocol::Grpc,
        _ => Protocol::Http,
    };
    let port = match protocol {
        Protocol::Http => 8080,
        Protocol::Grpc => 50051,
        Protocol::Tcp => 5432,
    };
    let app = world.add_app(Place::Mesh, &namespace, name, protocol, port);
    add_versions(world, dice, app, protocol);
    let calls = choose_calls(dice, sketch, protocol, built);
    match protocol {
        Protocol::Http => world.add_operation(app, "GET", &format!("/{name}/{{id}}"), calls),
        Protocol::Grpc => {
            let path = format!("/{}.v1.{}/Get", namespace.replace('-', ""), title(name));
            world.add_operation(app, "POST", &path, calls)
        }
        Protocol::Tcp => world.add_operation(app, "", "", Vec::new()),
    }
}

fn title(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(letters).collect()
    })
}

fn add_versions(world: &mut World, dice: &mut Dice, app: usize, protocol: Protocol) {
    let mut character = Character {
        sigma: dice.between(0.3, 0.7),
        errors: dice.share().powi(4) * 0.01,
        ..Character::healthy(dice.between(1.0, 25.0))
    };
    if dice.happens(0.02) {
        character.burst = Some(Burst {
            schedule: dice.below(crate::rhythm::SCHEDULES),
            errors: dice.between(0.03, 0.15),
            slowdown: 1.5,
        });
    }
    let replicas = 1 + u32::try_from(dice.below(4)).unwrap_or(0);
    let split = protocol != Protocol::Tcp && dice.happens(0.12);
    let gateway_api = dice.happens(0.25);
    let canary = Character {
        median_ms: character.median_ms * dice.between(0.8, 1.5),
        ..character.clone()
    };
    world.add_version(app, "v1", replicas, character);
    if !split {
        return;
    }
    world.add_version(app, "v2", 1, canary);
    if gateway_api {
        world.add_version_service(app, "v1");
        world.add_version_service(app, "v2");
    }
    add_split(world, app, gateway_api);
}

fn add_split(world: &mut World, app: usize, gateway_api: bool) {
    let app = &world.apps[app];
    let (namespace, name, port) = (app.namespace.as_str(), app.name.as_str(), app.port);
    let metadata = json!({ "name": name, "namespace": namespace });
    if gateway_api {
        let backend = |version: &str, weight: u32| json!({ "name": format!("{name}-{version}"), "port": port, "weight": weight });
        world.manifests.push(json!({
            "apiVersion": "gateway.networking.k8s.io/v1",
            "kind": "HTTPRoute",
            "metadata": metadata,
            "spec": {
                "parentRefs": [{ "group": "", "kind": "Service", "name": name, "port": port }],
                "rules": [{ "backendRefs": [backend("v1", 90), backend("v2", 10)] }],
            },
        }));
        return;
    }
    let weighted = |version: &str, weight: u32| json!({ "destination": { "host": name, "subset": version }, "weight": weight });
    let subset = |version: &str| json!({ "name": version, "labels": { "version": version } });
    let manifests = [
        json!({
            "apiVersion": "networking.istio.io/v1",
            "kind": "VirtualService",
            "metadata": metadata,
            "spec": {
                "hosts": [name],
                "http": [{ "route": [weighted("v1", 90), weighted("v2", 10)] }],
            },
        }),
        json!({
            "apiVersion": "networking.istio.io/v1",
            "kind": "DestinationRule",
            "metadata": metadata,
            "spec": { "host": name, "subsets": [subset("v1"), subset("v2")] },
        }),
    ];
    world.manifests.extend(manifests);
}

/// Callees of a service: those of its own namespace that nobody calls yet, then its neighbours, hubs, and now and then
/// somebody far away.
fn choose_calls(
    dice: &mut Dice,
    sketch: &Sketch,
    protocol: Protocol,
    built: &mut [Built],
) -> Vec<Call> {
    if protocol == Protocol::Tcp {
        return Vec::new();
    }
    let pick = |dice: &mut Dice, built: &[Built], fits: &dyn Fn(&Built) -> bool| {
        let fitting: Vec<usize> = built
            .iter()
            .enumerate()
            .filter(|(_, b)| b.layer > sketch.layer && fits(b))
            .map(|(index, _)| index)
            .collect();
        fitting.get(dice.below(fitting.len())).copied()
    };
    let mut chosen = Vec::with_capacity(CALLS);
    for _ in 0..CALLS {
        let own = |b: &Built| b.namespace == sketch.namespace;
        let found = match dice.share() {
            share if share < 0.65 => {
                pick(dice, built, &|b| own(b) && !b.called).or_else(|| pick(dice, built, &own))
            }
            share if share < 0.9 => pick(dice, built, &|b| b.hub),
            _ => pick(dice, built, &|_| true),
        };
        if let Some(index) = found
            && !chosen.contains(&index)
        {
            built[index].called = true;
            chosen.push(index);
        }
    }
    chosen
        .into_iter()
        .map(|index| Call {
            to: built[index].operation,
            probability: dice.between(0.1, 0.45),
            critical: dice.between(0.0, 0.3),
            versions: &[],
            site: 0,
        })
        .collect()
}
