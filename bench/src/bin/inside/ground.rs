//! A host without its front door: one issuer, one user, one tool, and every part as in the host.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use bailiwick::audit::{Journal, Settings, Trail};
use bailiwick::delegation::{Authority, Broker};
use bailiwick::dispatch::{Catalog, Decided, Offer, TargetRequest, Terms, decide};
use bailiwick::egress;
use bailiwick::envelope::{Envelope, HostKeys, Signer, SignerSettings};
use bailiwick::harden::CompileLimits;
use bailiwick::identity::{Caller, Identity, IssuerSettings, Presented, SubjectToken};
use bailiwick::intake::{Cache, Candidate, Compile, Compiler, Compiling, Intake, compile_here};
use bailiwick::limits::Limits;
use bailiwick::owned::Trust;
use bailiwick::sandbox::{Ending, Job, Sandbox, Tier};
use bailiwick::seams::{Clock, Random, SystemClock, SystemRandom};
use bailiwick::tokens::{Algorithm, KeyFile, KeyRing, KeySettings, KeySource};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::{Signer as _, SigningKey};
use http::{Request, header};
use serde_json::json;
use tokio_util::sync::CancellationToken;

/// Compiles in this process, on one core, as a worker does in its own process.
struct Here;

impl Compile for Here {
    fn compile<'a>(&'a self, tier: Tier, bytes: &'a [u8], _: CompileLimits) -> Compiling<'a> {
        Box::pin(async move { compile_here(tier, bytes) })
    }
}

/// The parts that a call needs.
pub(crate) struct Ground {
    pub(crate) component: Vec<u8>,
    pub(crate) folder: PathBuf,
    pub(crate) sandbox: Arc<Sandbox>,
    pub(crate) catalog: Catalog,
    pub(crate) identity: Identity,
    pub(crate) signer: Arc<Signer>,
    pub(crate) journal: Journal,
    pub(crate) broker: Arc<Broker>,
    random: Arc<dyn Random>,
    clock: Arc<dyn Clock>,
    key: SigningKey,
}

impl Ground {
    pub(crate) async fn new(component: &Path, folder: &Path) -> anyhow::Result<Self> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let random: Arc<dyn Random> = Arc::new(SystemRandom);
        let folder = tempfile::TempDir::with_prefix_in("inside-", folder)?.keep();
        let sandbox = Arc::new(Sandbox::new(
            Limits::default(),
            Arc::clone(&clock),
            Arc::clone(&random),
        )?);
        let intake = Intake::new(Arc::clone(&sandbox), Compiler::new(Here));
        let candidate = Candidate {
            name: "echo".into(),
            path: component.to_owned(),
        };
        let offer = Offer::load(&intake, &candidate, &Terms::default())
            .await
            .map_err(|refused| refused.cause)
            .context("the component does not load")?;
        let (catalog, _) = Catalog::build(vec![offer], &BTreeMap::new(), &Catalog::default());

        let keys = HostKeys::open(&folder.join("keys"), random.as_ref(), &Trust::default())?;
        let (journal, _) = Journal::open(
            journal(&folder.join("audit")),
            keys.journal,
            Arc::clone(&clock),
        )?;
        let settings = SignerSettings {
            trust_domain: "bench.example".into(),
            issuer: RESOURCE.into(),
            lifetime: 300,
        };
        let signer = Arc::new(Signer::new(
            keys.signing,
            settings,
            Arc::clone(&clock),
            Arc::clone(&random),
        ));
        let broker = Arc::new(Broker::new(
            BTreeMap::new(),
            Arc::clone(&signer),
            Arc::clone(&random),
            Limits::default(),
        ));

        let key = SigningKey::from_bytes(&[7; 32]);
        let jwks = folder.join("jwks.json");
        fs::write(&jwks, jwks_of(&key))?;
        let keys = KeySettings {
            issuer: ISSUER.into(),
            source: KeySource::File(KeyFile {
                path: jwks,
                trust: Trust::default(),
            }),
            algorithms: vec![Algorithm::EdDsa],
        };
        let ring = KeyRing::new(keys, &egress::tls()?, Arc::clone(&clock));
        let identity = Identity::new(vec![(issuer(), ring)], RESOURCE.into(), Arc::clone(&clock));
        let component = fs::read(component)?;
        Ok(Self {
            component,
            folder,
            sandbox,
            catalog,
            identity,
            signer,
            journal,
            broker,
            random,
            clock,
            key,
        })
    }

    /// Measures loading a component in a host that was just started, which keeps code in one place.
    pub(crate) async fn load(&self, path: &Path) -> anyhow::Result<Duration> {
        let keys = HostKeys::open(
            &self.folder.join("keys"),
            self.random.as_ref(),
            &Trust::default(),
        )?;
        let cache = Cache::open(&self.folder.join("cache"), keys.cache, &Trust::default());
        let (clock, random) = (Arc::clone(&self.clock), Arc::clone(&self.random));
        let sandbox = Arc::new(Sandbox::new(Limits::default(), clock, random)?);
        let intake = Intake::new(sandbox, Compiler::new(Here).keeping(cache));
        let candidate = Candidate {
            name: "measured".into(),
            path: path.to_owned(),
        };
        let started = Instant::now();
        let loaded = Offer::load(&intake, &candidate, &Terms::default()).await;
        let took = started.elapsed();
        loaded.map_err(|refused| refused.cause)?;
        Ok(took)
    }

    /// Makes a token that was never seen before.
    pub(crate) fn token(&self, number: u32) -> anyhow::Result<Presented> {
        let header = json!({"alg": "EdDSA", "typ": "at+jwt", "kid": "key-1"});
        let now = self.clock.now();
        let claims = json!({
            "iss": ISSUER, "sub": "user-1", "client_id": "clerk", "aud": RESOURCE, "scope": "orders:read",
            "tenant": "acme", "jti": format!("token-{number}"), "iat": now, "exp": now + 3600,
        });
        let part = |value: &serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", part(&header), part(&claims));
        let signature = URL_SAFE_NO_PAD.encode(self.key.sign(signed.as_bytes()).to_bytes());
        let mut head = Request::post(RESOURCE)
            .header(
                header::AUTHORIZATION,
                format!("Bearer {signed}.{signature}"),
            )
            .body(())?
            .into_parts()
            .0;
        Presented::take(&mut head).map_err(|reason| anyhow::anyhow!(reason.as_str()))
    }

    /// Admits the one user.
    pub(crate) async fn caller(&self) -> anyhow::Result<(Arc<Caller>, SubjectToken)> {
        Ok(self.identity.admit(self.token(0)?).await?)
    }

    /// Decides about a call of the tool `echo`.
    pub(crate) fn decide(&self, caller: &Caller) -> anyhow::Result<Decided> {
        self.decide_on(caller, "echo")
    }

    /// Decides about a call of one of the tools.
    pub(crate) fn decide_on(&self, caller: &Caller, tool: &str) -> anyhow::Result<Decided> {
        let arguments = json!({"message": "the quick brown fox jumps over the lazy dog"});
        let text = arguments.to_string();
        let request = TargetRequest::tool(tool.into(), arguments, &text);
        decide(&self.catalog, caller, request).map_err(|denied| anyhow::anyhow!(denied.message))
    }

    /// Seals a call.
    pub(crate) fn seal(&self, caller: &Caller, decided: &Decided) -> anyhow::Result<Arc<Envelope>> {
        let (target, arguments) = (decided.target(), decided.arguments());
        let envelope = self.signer.seal(caller, target, arguments, None)?;
        Ok(Arc::new(envelope))
    }

    /// Records that a call was opened.
    pub(crate) async fn open(&self, envelope: &Envelope) -> anyhow::Result<Trail> {
        Ok(Trail::open(self.journal.clone(), envelope, "default").await?)
    }

    /// Runs a call that is recorded in `trail`, until it ends or is `cancelled`.
    pub(crate) async fn run(
        &self,
        decided: &Decided,
        envelope: &Envelope,
        (trail, services): (&Trail, Arc<Authority>),
        cancelled: &CancellationToken,
    ) -> anyhow::Result<Ending> {
        let backing = decided.target().backing();
        let job = Job {
            code: &backing.code,
            component: &backing.component.name,
            settings: &backing.settings,
            export: decided.target().export(decided.arguments()),
            envelope: envelope.sealed(),
            input: decided.arguments().to_string(),
            answers: Vec::new(),
            state: None,
            services,
            client: Arc::default(),
            reports: None,
        };
        let settled = trail.settled().await?;
        Ok(self.sandbox.run(job, cancelled.cancelled(), settled).await)
    }
}

fn journal(folder: &Path) -> Settings {
    Settings {
        folder: folder.to_owned(),
        memory: folder.with_file_name("keys"),
        trust: Trust::default(),
        refusals_per_second: 100,
        segment_bytes: 64 << 20,
        preallocate: true,
        append_deadline: Duration::from_secs(2),
        origin: "bench.example/audit".into(),
    }
}

fn issuer() -> IssuerSettings {
    IssuerSettings::usual(ISSUER, "bench")
}

fn jwks_of(key: &SigningKey) -> String {
    let x = URL_SAFE_NO_PAD.encode(key.verifying_key().as_bytes());
    json!({"keys": [{"kty": "OKP", "crv": "Ed25519", "kid": "key-1", "alg": "EdDSA", "use": "sig", "x": x}]})
        .to_string()
}

const ISSUER: &str = "https://idp.example";
const RESOURCE: &str = "https://bench.example/mcp";
