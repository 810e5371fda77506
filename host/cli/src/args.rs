//! The command line: every command and option, and what it says of itself in `--help`.
//!
//! Nothing is done here; a command's work is in the module of its name.

mod connectors;
mod matching;
mod notify;
mod quarantine;

use std::path::PathBuf;

pub(crate) use connectors::{
    Answer, ConnectorsCommand, Install, Pack, Publish, Remove, Revoke, Search, Sign, Upgrade,
    Verify,
};
pub(crate) use matching::Match;
pub(crate) use notify::{NotifyCommand, NotifySecret};
pub(crate) use quarantine::{
    Held, HeldFix, HeldList, HeldReplay, HeldShow, Ignore, QuarantineCommand,
};

use clap::{Args, Parser, Subcommand, ValueEnum};

/// Move a company's CRM into another one, and prove that nothing was lost
#[derive(Debug, Parser)]
#[command(name = "longshore", version, max_term_width = 100)]
pub(crate) struct Arguments {
    /// Print the result as JSON on standard output
    #[arg(long, global = true)]
    pub(crate) json: bool,

    /// Write traces of what happens to standard error as JSON, for machines. `RUST_LOG` chooses which
    #[arg(long, global = true)]
    pub(crate) trace_json: bool,

    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Show the whole way on a simulated account: connect, plan, migrate, audit
    Demo(Demo),
    /// Run a simulated CRM on loopback until stopped
    Simulate(Simulate),
    /// Start a project: one folder with everything it knows
    Init(Folder),
    /// Connect a source account, or the HubSpot portal that is written to
    Connect(Connect),
    /// Read the objects, fields and pipelines of both sides
    Discover(Discover),
    /// Write, show and check the project's mapping file, which says what becomes of what
    Mapping(MappingArguments),
    /// Read the whole source and decide every write; nothing is written to the destination
    Plan(PlanCommand),
    /// Carry out the approved plan
    Apply(Apply),
    /// Discover, plan, apply and audit, with one approval
    Migrate(Migrate),
    /// Show where the project stands
    Status(Folder),
    /// Tell one record's whole story: where its values came from, what was decided and why, what was written and when
    Explain(Explain),
    /// Look after the records that did not come through: why, by cause; correct them; try them again
    Quarantine(QuarantineArguments),
    /// Read the destination back, prove the account and write the workbook
    Audit(Audit),
    /// Take back what one run wrote, unless somebody edited it since
    Rollback(Rollback),
    /// Find the records of the project, or of a CSV file, that are one, although no rule says so; nothing is changed
    Match(Match),
    /// List, inspect, install, upgrade, sign and publish connectors
    Connectors(Connectors),
    /// Look after who is told what became of a run, by e-mail and webhook
    Notify(NotifyArguments),
    /// Look after the vault that holds the credentials
    Vault(VaultArguments),
}

#[derive(Debug, Args)]
pub(crate) struct Folder {
    /// Folder of the project
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub(crate) dir: PathBuf,
}

/// Exchanges with the source, on a tape.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct TapeOptions {
    /// Record every exchange with the source into this new file, without secrets. It holds customer data
    #[arg(long, value_name = "FILE", conflicts_with = "replay")]
    pub(crate) record: Option<PathBuf>,
    /// Answer from this recorded file instead of the source: no network, no credential
    #[arg(long, value_name = "FILE")]
    pub(crate) replay: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Discover {
    #[command(flatten)]
    pub(crate) folder: Folder,
    #[command(flatten)]
    pub(crate) tape: TapeOptions,
}

#[derive(Debug, Args)]
pub(crate) struct NotifyArguments {
    #[command(subcommand)]
    pub(crate) command: NotifyCommand,
}

#[derive(Debug, Args)]
pub(crate) struct MappingArguments {
    #[command(subcommand)]
    pub(crate) command: MappingCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum MappingCommand {
    /// Write `mapping.toml` with what holds without it, to be changed
    Init(Folder),
    /// Show what becomes of every field and stage, and what is lost
    Show {
        #[command(flatten)]
        folder: Folder,
        /// Print the mapping file that the newest plan was made with instead
        #[arg(long)]
        plan: bool,
    },
    /// Hold `mapping.toml` against both sides and run its tests; everything wrong is told together
    Check(Folder),
}

#[derive(Debug, Args)]
pub(crate) struct Demo {
    /// How many contacts the simulated account has; the other objects scale with it
    #[arg(long, value_name = "N", default_value_t = 1000)]
    pub(crate) records: u64,
    /// Which account is generated; the same seed gives the same account
    #[arg(long, value_name = "S", default_value_t = 1)]
    pub(crate) seed: u64,
    /// Folder of CSV files to serve as the account instead (accounts, products, sales_teams, sales_pipeline)
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    /// Folder of the project; it must not hold one yet
    #[arg(long, value_name = "DIR", default_value = "longshore-demo")]
    pub(crate) dir: PathBuf,
    /// Where the records go: into a local CRM, or into a simulated HubSpot portal
    #[arg(long, value_enum, default_value_t = Into::LocalCrm)]
    pub(crate) destination: Into,
}

/// Where the demo's records go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Into {
    /// One SQLite file
    LocalCrm,
    /// A simulated portal
    Hubspot,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Vendor {
    /// Pipedrive, API v1 and v2
    Pipedrive,
    /// A HubSpot portal of the same company: its people have seats there, and no records yet
    Hubspot,
    /// Example CRM, which the SDK's example connectors read; takes only --port and --records
    ExampleCrm,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Limits {
    /// The vendor's rate limits and daily budget
    Real,
    /// None
    Off,
}

#[derive(Debug, Args)]
pub(crate) struct Simulate {
    /// Which CRM
    pub(crate) vendor: Vendor,
    /// Port on 127.0.0.1; 0 takes a free one
    #[arg(long, value_name = "P", default_value_t = 0)]
    pub(crate) port: u16,
    /// How many contacts the account has; the other objects scale with it
    #[arg(long, value_name = "N", default_value_t = 1000)]
    pub(crate) records: u64,
    /// Which account is generated; the same seed gives the same account
    #[arg(long, value_name = "S", default_value_t = 1)]
    pub(crate) seed: u64,
    /// Folder of CSV files to serve as the account instead
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    /// Faults to give, as `name=share` separated by commas, for example `429=0.02,reset=0.005,latency=50`
    #[arg(long, value_name = "LIST", default_value = "")]
    pub(crate) faults: String,
    /// Whether the vendor's limits hold
    #[arg(long, value_enum, default_value_t = Limits::Real)]
    pub(crate) limits: Limits,
    /// Milliseconds before each answer
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) latency_ms: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Auth {
    /// OAuth 2: you agree in a browser
    Oauth,
    /// A key that you copy from the CRM
    Key,
}

#[derive(Debug, Args)]
pub(crate) struct Connect {
    /// Connector: the name of an official or installed one, or the path of a package; or `hubspot`, the destination
    pub(crate) connector: String,
    #[command(flatten)]
    pub(crate) folder: Folder,
    /// Name of the connection
    #[arg(long, value_name = "NAME")]
    pub(crate) name: Option<String>,
    /// What the connector's addresses need, as `name=value`, for example `company=acme`
    #[arg(long = "param", value_name = "NAME=VALUE")]
    pub(crate) parameters: Vec<String>,
    /// A setting of the connector, as `name=value`
    #[arg(long = "set", value_name = "NAME=VALUE")]
    pub(crate) settings: Vec<String>,
    /// What the vendor lets this account spend a day, where its plan gives more than the connector declares
    #[arg(long, value_name = "N")]
    pub(crate) daily_budget: Option<u64>,
    /// HubSpot only: how much of the requests that a day allows may be spent, in percent; all of it by default
    #[arg(long, value_name = "PERCENT", value_parser = clap::value_parser!(u8).range(1..=100))]
    pub(crate) daily_share: Option<u8>,
    /// HubSpot only: the path family to speak, `v3` by default, or a dated version such as `2026-03`
    #[arg(long, value_name = "VERSION")]
    pub(crate) api_version: Option<String>,
    /// Read the API token from this file. Without it, `LONGSHORE_TOKEN` or standard input is read; never an argument
    #[arg(long, value_name = "FILE")]
    pub(crate) token_file: Option<PathBuf>,
    /// How to log in, where the connector takes both: with a key by default
    #[arg(long, value_name = "WAY", value_enum)]
    pub(crate) auth: Option<Auth>,
    /// Read the app's `client_id` and `client_secret` from this TOML file. Without it, `LONGSHORE_CLIENT_ID` and `LONGSHORE_CLIENT_SECRET`
    /// are read, or asked for; never arguments
    #[arg(long, value_name = "FILE")]
    pub(crate) client_file: Option<PathBuf>,
    /// Port on 127.0.0.1 that the browser comes back to, as the app's callback address has it; 0 takes a free one
    #[arg(long, value_name = "P", default_value_t = 0)]
    pub(crate) redirect_port: u16,
    /// Seconds to wait for the browser to come back
    #[arg(long, value_name = "N", default_value_t = 300)]
    pub(crate) login_timeout_s: u64,
    /// Only print the address to log in at; do not open a browser
    #[arg(long)]
    pub(crate) no_browser: bool,
    #[command(flatten)]
    pub(crate) answer: Answer,
    /// For developers: send everything to this loopback address instead of the vendor's hosts
    #[arg(long, value_name = "URL", requires = "allow_loopback")]
    pub(crate) base_url: Option<String>,
    /// For developers: allow a loopback address
    #[arg(long)]
    pub(crate) allow_loopback: bool,
    /// For developers: do not keep to the declared rate limits; only with a loopback address
    #[arg(long, requires = "base_url")]
    pub(crate) no_rate_limits: bool,
}

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct PlanCommand {
    #[command(subcommand)]
    pub(crate) show: Option<PlanSubcommand>,
    #[command(flatten)]
    pub(crate) folder: Folder,
    /// Write every action and association of the plan into this file: a workbook (.xlsx), or JSON by lines
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// Last day whose changes are brought over
    #[arg(long, value_name = "DATE")]
    pub(crate) cutover: Option<String>,
    /// Plan from what was read last, without reading the source again
    #[arg(long)]
    pub(crate) no_extract: bool,
    #[command(flatten)]
    pub(crate) ignore: Ignore,
    #[command(flatten)]
    pub(crate) tape: TapeOptions,
}

#[derive(Debug, Subcommand)]
pub(crate) enum PlanSubcommand {
    /// Show the writes of a plan that was made, with their reasons; nothing is read or written anywhere
    Show(PlanShow),
}

#[derive(Debug, Args)]
pub(crate) struct PlanShow {
    #[command(flatten)]
    pub(crate) folder: Folder,
    /// Which plan, by its id; the newest by default
    #[arg(long, value_name = "ID")]
    pub(crate) plan: Option<String>,
    /// Only this object: a standard one such as contact, or the source's own. May be repeated
    #[arg(long, value_name = "OBJECT")]
    pub(crate) object: Vec<String>,
    /// Only this action. May be repeated
    #[arg(long, value_name = "ACTION", value_parser = model::plan::ActionKind::ALL.map(model::plan::ActionKind::name))]
    pub(crate) action: Vec<String>,
    /// Only actions for this reason. May be repeated
    #[arg(long, value_name = "REASON", value_parser = model::plan::Reason::NAMES)]
    pub(crate) reason: Vec<String>,
    /// How many actions are printed; 0 prints all
    #[arg(long, value_name = "N", default_value_t = 50)]
    pub(crate) limit: u64,
    /// Write what the filters let through into this file instead: a workbook (.xlsx), or JSON by lines
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Apply {
    #[command(flatten)]
    pub(crate) folder: Folder,
    /// Hash of the plan that you approve, as `plan` printed it
    #[arg(long, value_name = "HASH")]
    pub(crate) approve: Option<String>,
    /// Approve the newest plan
    #[arg(long, conflicts_with = "approve")]
    pub(crate) yes: bool,
    #[command(flatten)]
    pub(crate) ignore: Ignore,
}

#[derive(Debug, Args)]
pub(crate) struct Migrate {
    #[command(flatten)]
    pub(crate) folder: Folder,
    /// Approve the plan without being asked
    #[arg(long)]
    pub(crate) yes: bool,
    /// Last day whose changes are brought over
    #[arg(long, value_name = "DATE")]
    pub(crate) cutover: Option<String>,
    /// Where the audit workbook goes; `audit.xlsx` in the project's folder by default
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) ignore: Ignore,
    #[command(flatten)]
    pub(crate) tape: TapeOptions,
}

#[derive(Debug, Args)]
pub(crate) struct Explain {
    #[command(flatten)]
    pub(crate) folder: Folder,
    /// Its object: a standard one such as contact, or the source's own
    pub(crate) object: String,
    /// Its id at the source
    pub(crate) id: String,
}

#[derive(Debug, Args)]
pub(crate) struct Audit {
    #[command(flatten)]
    pub(crate) folder: Folder,
    /// Where the workbook goes; `audit.xlsx` in the project's folder by default, `certificate.xlsx` with --verify
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// Compare everything that was read of the source with the destination as it is now, record for record and link for link, and write a
    /// cut-over certificate beside the workbook: equal, or the list of differences
    #[arg(long)]
    pub(crate) verify: bool,
    /// With --verify: read the source again first, so that the certificate is about the source of this moment
    #[arg(long, requires = "verify")]
    pub(crate) read_source: bool,
}

#[derive(Debug, Args)]
pub(crate) struct QuarantineArguments {
    #[command(subcommand)]
    pub(crate) command: QuarantineCommand,
}

/// Records that the run made are archived, values that it overwrote set back, associations that it made taken away and those that it
/// took away made again. What somebody edited since is listed and left. Properties, pipelines and labels that were made for it stay
#[derive(Debug, Args)]
#[command(group(clap::ArgGroup::new("aim").required(true).args(["plan", "apply"])))]
pub(crate) struct Rollback {
    /// Which run, by its number as `status` and `explain` tell it; or `latest`
    #[arg(value_name = "RUN", value_parser = parse_run)]
    pub(crate) run: RunChoice,
    #[command(flatten)]
    pub(crate) folder: Folder,
    /// Read the destination and say what would be taken back; nothing is written
    #[arg(long)]
    pub(crate) plan: bool,
    /// Carry it out
    #[arg(long)]
    pub(crate) apply: bool,
    /// Carry it out without being asked
    #[arg(long, requires = "apply")]
    pub(crate) yes: bool,
    /// Write each step into this file: a workbook (.xlsx), or JSON by lines
    #[arg(long, value_name = "FILE", requires = "plan")]
    pub(crate) out: Option<PathBuf>,
}

/// Which run is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RunChoice {
    /// The newest that wrote.
    Latest,
    /// That one.
    Number(i64),
}

fn parse_run(text: &str) -> Result<RunChoice, String> {
    match text {
        "latest" => Ok(RunChoice::Latest),
        number => number
            .parse()
            .map(RunChoice::Number)
            .map_err(|_| "a run is a number, or `latest`".to_owned()),
    }
}

#[derive(Debug, Args)]
pub(crate) struct Connectors {
    #[command(subcommand)]
    pub(crate) command: ConnectorsCommand,
}

#[derive(Debug, Args)]
pub(crate) struct VaultArguments {
    #[command(subcommand)]
    pub(crate) command: VaultCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum VaultCommand {
    /// Show which credentials the vault holds and where its key is; no secret
    Status(Folder),
    /// Give the vault a new key and seal everything anew
    Rotate {
        #[command(flatten)]
        folder: Folder,
        /// Where the key is kept from now on; where it is now by default
        #[arg(long, value_name = "PLACE", value_enum)]
        to: Option<KeyPlace>,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum KeyPlace {
    /// `vault.key` in the project's folder
    File,
    /// `LONGSHORE_VAULT_KEY`, which you set. Rotating it, the new key is in `LONGSHORE_VAULT_KEY_NEXT`
    Environment,
    /// The operating system's keyring. On Linux the kernel's: it forgets when the machine stops, or after three days without use
    Keyring,
}
