//! The default world: a web shop in four namespaces, with a canary that goes bad under load, a ledger that fails in bursts,
//! one call in plain text and one service outside.

use serde_json::{Value, json};

use crate::world::{
    Burst, Call, Character, Entry, OperationIndex, Place, Protocol, Strain, World, likes, needs,
};

/// Requests per second to `GET /product/{id}`: also the rate of `shop/reviews`.
const PRODUCT_RATE: f64 = 640.0;

/// Host of the service outside.
const OUTSIDE: &str = "risk.example.com";

/// Adds the shop.
pub(crate) fn build(world: &mut World) {
    let platform = platform(world);
    let payments = payments(world);
    let shop = shop(world, &platform, &payments);
    edge(world, &platform, &payments, &shop);
    world.manifests.extend(reviews_routing());
    world.manifests.extend(other_routing());
}

struct Platform {
    redis: OperationIndex,
    postgres: OperationIndex,
    ratings: OperationIndex,
    auth: OperationIndex,
}

fn tcp_store(
    world: &mut World,
    name: &str,
    port: u16,
    median_ms: f64,
    bytes: (f64, f64),
) -> OperationIndex {
    let app = world.add_app(Place::Mesh, "platform", name, Protocol::Tcp, port);
    world.add_version(app, "v1", 1, Character::healthy(median_ms));
    let operation = world.add_operation(app, "", "", Vec::new());
    world.operations[operation].bytes = bytes;
    operation
}

fn platform(world: &mut World) -> Platform {
    let redis = tcp_store(world, "cart-redis", 6379, 0.4, (180.0, 900.0));
    let postgres = tcp_store(world, "inventory-db", 5432, 2.1, (260.0, 1_700.0));

    let app = world.add_app(Place::Mesh, "platform", "ratings", Protocol::Http, 9080);
    let character = Character {
        errors: 0.006,
        ..Character::healthy(6.0)
    };
    world.add_version(app, "v1", 4, character);
    let ratings = world.add_operation(app, "GET", "/ratings/{id}", Vec::new());

    let app = world.add_app(Place::Mesh, "platform", "auth", Protocol::Grpc, 9000);
    world.add_version(app, "v1", 3, Character::healthy(1.8));
    let auth = world.add_operation(app, "POST", "/auth.v1.Auth/Check", Vec::new());
    Platform {
        redis,
        postgres,
        ratings,
        auth,
    }
}

struct Payments {
    pay: OperationIndex,
    refund: OperationIndex,
}

fn payments(world: &mut World) -> Payments {
    let app = world.add_app(Place::Outside, "", OUTSIDE, Protocol::Http, 80);
    let character = Character {
        errors: 0.002,
        ..Character::healthy(48.0)
    };
    world.add_version(app, "", 1, character);
    let risk = world.add_operation(app, "POST", "/v2/score", Vec::new());

    let app = world.add_app(Place::Mesh, "payments", "fraud", Protocol::Http, 8080);
    world.add_version(
        app,
        "v1",
        2,
        Character {
            sigma: 0.6,
            ..Character::healthy(14.0)
        },
    );
    let fraud = world.add_operation(app, "POST", "/score", vec![likes(risk, 0.3)]);

    let app = world.add_app(Place::Mesh, "payments", "ledger", Protocol::Grpc, 50051);
    let character = Character {
        errors: 0.002,
        burst: Some(Burst {
            schedule: 0,
            errors: 0.06,
            slowdown: 2.5,
        }),
        ..Character::healthy(34.0)
    };
    world.add_version(app, "v1", 2, character);
    let post = world.add_operation(app, "POST", "/ledger.v1.Ledger/Post", Vec::new());

    let app = world.add_app(Place::Mesh, "payments", "payment-api", Protocol::Http, 8080);
    world.add_version(app, "v1", 3, Character::healthy(11.0));
    let optional_check = Call {
        critical: 0.2,
        ..needs(fraud)
    };
    let pay = world.add_operation(app, "POST", "/payments", vec![optional_check, needs(post)]);

    let app = world.add_app(Place::Mesh, "payments", "refunds", Protocol::Http, 8080);
    world.add_version(app, "v1", 1, Character::healthy(9.0));
    let refund = world.add_operation(app, "POST", "/refunds", vec![needs(post)]);
    Payments { pay, refund }
}

struct Shop {
    catalog: OperationIndex,
    recommend: OperationIndex,
    cart: OperationIndex,
    checkout: OperationIndex,
}

fn shop(world: &mut World, platform: &Platform, payments: &Payments) -> Shop {
    let app = world.add_app(Place::Mesh, "shop", "inventory", Protocol::Grpc, 50052);
    world.add_version(app, "v1", 4, Character::healthy(2.4));
    let stock = vec![needs(platform.postgres)];
    let get_stock = world.add_operation(app, "POST", "/inventory.v1.Inventory/Get", stock.clone());
    let reserve = world.add_operation(app, "POST", "/inventory.v1.Inventory/Reserve", stock);
    world.operations[reserve].effort = 2.0;

    let reviews = reviews(world, platform);

    let app = world.add_app(Place::Mesh, "shop", "recommend", Protocol::Grpc, 50053);
    world.add_version(
        app,
        "v1",
        2,
        Character {
            sigma: 0.7,
            ..Character::healthy(17.0)
        },
    );
    let recommend = world.add_operation(
        app,
        "POST",
        "/recommend.v1.Recommend/Suggest",
        vec![likes(platform.ratings, 0.25)],
    );
    world.operations[recommend].messages = (1.0, 8.0);

    let app = world.add_app(Place::Mesh, "shop", "catalog", Protocol::Http, 8080);
    let character = Character {
        not_found: 0.002,
        ..Character::healthy(5.0)
    };
    world.add_version(app, "v1", 4, character);
    let catalog = world.add_operation(
        app,
        "GET",
        "/catalog/{id}",
        vec![needs(get_stock), likes(reviews, 1.0)],
    );

    let app = world.add_app(Place::Mesh, "shop", "cart", Protocol::Http, 8080);
    world.add_version(app, "v1", 3, Character::healthy(4.0));
    let cart = world.add_operation(
        app,
        "GET",
        "/cart/{id}",
        vec![needs(platform.redis), likes(get_stock, 0.8)],
    );

    let app = world.add_app(Place::Mesh, "shop", "checkout", Protocol::Http, 8080);
    world.add_version(app, "v1", 3, Character::healthy(12.0));
    world.add_version(app, "v2", 1, Character::healthy(10.0));
    world.add_version_service(app, "v1");
    world.add_version_service(app, "v2");
    let calls = vec![needs(cart), needs(reserve), needs(payments.pay)];
    let checkout = world.add_operation(app, "POST", "/checkout", calls);
    Shop {
        catalog,
        recommend,
        cart,
        checkout,
    }
}

/// v1 retires, v2 is good, v3 is slow and breaks down the more of the traffic it gets.
fn reviews(world: &mut World, platform: &Platform) -> OperationIndex {
    let app = world.add_app(Place::Mesh, "shop", "reviews", Protocol::Http, 9080);
    let v1 = Character {
        errors: 0.001,
        ..Character::healthy(16.0)
    };
    let v2 = Character {
        errors: 0.001,
        ..Character::healthy(14.0)
    };
    let v3 = Character {
        sigma: 0.6,
        errors: 0.006,
        strain: Some(Strain {
            capacity: PRODUCT_RATE,
            errors: 0.22,
            slowdown: 3.0,
        }),
        ..Character::healthy(95.0)
    };
    world.add_version(app, "v1", 3, v1);
    world.add_version(app, "v2", 6, v2);
    world.add_version(app, "v3", 2, v3);
    let stars = Call {
        versions: &["v2", "v3"],
        ..likes(platform.ratings, 0.85)
    };
    world.add_operation(app, "GET", "/reviews/{id}", vec![stars])
}

fn edge(world: &mut World, platform: &Platform, payments: &Payments, shop: &Shop) {
    let app = world.add_app(Place::Mesh, "edge", "web-bff", Protocol::Http, 8080);
    world.add_version(app, "v1", 4, Character::healthy(7.0));
    let mut page = |method, path, calls| world.add_operation(app, method, path, calls);
    let auth = platform.auth;
    let product = page(
        "GET",
        "/product/{id}",
        vec![
            needs(auth),
            needs(shop.catalog),
            Call {
                critical: 0.0,
                ..likes(shop.recommend, 0.7)
            },
        ],
    );
    let cart = page("GET", "/cart/{id}", vec![needs(auth), needs(shop.cart)]);
    let checkout = page("POST", "/checkout", vec![needs(auth), needs(shop.checkout)]);
    let refund = page(
        "POST",
        "/refunds",
        vec![needs(auth), needs(payments.refund)],
    );

    let app = gateway(world);
    let rates = [
        (product, PRODUCT_RATE),
        (cart, 260.0),
        (checkout, 90.0),
        (refund, 4.0),
    ];
    for (operation, rate) in rates {
        enter(world, app, operation, rate);
    }
}

fn gateway(world: &mut World) -> usize {
    let app = world.add_app(
        Place::Gateway,
        "edge",
        "istio-ingressgateway",
        Protocol::Http,
        80,
    );
    let character = Character {
        errors: 0.0,
        ..Character::healthy(0.3)
    };
    world.add_version(app, "latest", 2, character);
    app
}

/// Lets requests from outside in: the gateway forwards them to an operation of the same method and path.
pub(crate) fn enter(world: &mut World, gateway: usize, to: OperationIndex, rate: f64) {
    let (method, path) = (
        world.operations[to].method,
        world.operations[to].path.clone(),
    );
    let operation = world.add_operation(gateway, method, &path, vec![needs(to)]);
    world.entries.push(Entry { operation, rate });
}

fn virtual_service(namespace: &str, name: &str, spec: &Value) -> Value {
    json!({
        "apiVersion": "networking.istio.io/v1",
        "kind": "VirtualService",
        "metadata": { "name": name, "namespace": namespace },
        "spec": spec,
    })
}

fn destination_rule(namespace: &str, name: &str, spec: &Value) -> Value {
    json!({
        "apiVersion": "networking.istio.io/v1",
        "kind": "DestinationRule",
        "metadata": { "name": name, "namespace": namespace },
        "spec": spec,
    })
}

fn reviews_routing() -> Vec<Value> {
    let weighted = |subset: &str, weight: u32| {
        json!({
            "destination": { "host": "reviews", "subset": subset },
            "weight": weight,
        })
    };
    let subset = |version: &str| json!({ "name": version, "labels": { "app": "reviews", "version": version } });
    vec![
        virtual_service(
            "shop",
            "reviews",
            &json!({
                "hosts": ["reviews"],
                "http": [{ "route": [weighted("v1", 90), weighted("v2", 10), weighted("v3", 0)] }],
            }),
        ),
        destination_rule(
            "shop",
            "reviews",
            &json!({
                "host": "reviews",
                "subsets": [subset("v1"), subset("v2"), subset("v3")],
            }),
        ),
        json!({
            "apiVersion": "gateway.networking.k8s.io/v1",
            "kind": "HTTPRoute",
            "metadata": { "name": "checkout", "namespace": "shop" },
            "spec": {
                "parentRefs": [{ "group": "", "kind": "Service", "name": "checkout", "port": 8080 }],
                "rules": [{
                    "matches": [{ "path": { "type": "PathPrefix", "value": "/" } }],
                    "backendRefs": [
                        { "group": "", "kind": "Service", "name": "checkout-v1", "port": 8080, "weight": 95 },
                        { "group": "", "kind": "Service", "name": "checkout-v2", "port": 8080, "weight": 5 },
                    ],
                }],
            },
        }),
    ]
}

fn other_routing() -> Vec<Value> {
    let to = |host: &str| json!([{ "destination": { "host": host } }]);
    let mut payment_api = virtual_service(
        "payments",
        "payment-api",
        &json!({
            "hosts": ["payment-api"],
            "http": [{ "timeout": "2s", "route": to("payment-api") }],
        }),
    );
    // Somebody else's: a change by hand would be reverted.
    payment_api["metadata"]["annotations"] = json!({
        "argocd.argoproj.io/tracking-id":
            "payments:networking.istio.io/VirtualService:payments/payment-api",
    });
    vec![
        payment_api,
        virtual_service(
            "payments",
            "fraud",
            &json!({
                "hosts": ["fraud"],
                "http": [{ "timeout": "250ms", "retries": { "attempts": 0 }, "route": to("fraud") }],
            }),
        ),
        virtual_service(
            "platform",
            "ratings",
            &json!({
                "hosts": ["ratings"],
                "http": [{
                    "timeout": "1s",
                    "retries": { "attempts": 2, "perTryTimeout": "400ms", "retryOn": "5xx" },
                    "route": to("ratings"),
                }],
            }),
        ),
        virtual_service(
            "edge",
            "storefront",
            &json!({
                "hosts": ["shop.example.com"],
                "gateways": ["edge/storefront"],
                "http": [{ "route": to("web-bff") }],
            }),
        ),
        destination_rule(
            "edge",
            "auth-plain-text",
            &json!({
                "host": "auth.platform.svc.cluster.local",
                "trafficPolicy": { "tls": { "mode": "DISABLE" } },
            }),
        ),
        destination_rule(
            "payments",
            "ledger",
            &json!({
                "host": "ledger",
                "trafficPolicy": {
                    "outlierDetection": { "consecutive5xxErrors": 50, "interval": "10s" },
                },
            }),
        ),
    ]
}
