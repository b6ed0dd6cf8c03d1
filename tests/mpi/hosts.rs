//! Two hosts on this machine: network namespaces, each with a device on one bridge.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use tempfile::TempDir;

/// The hosts, as long as this lives. Only one at a time.
pub(crate) struct Hosts {
    /// Where the script is by which `mpirun` reaches a host, in place of `ssh`.
    folder: TempDir,
}

const BRIDGE: &str = "mnistry-bridge";
const NETWORK: &str = "10.77.0.0/24";
const HERE: &str = "10.77.0.254/24";
/// Their namespaces, the devices that are theirs on the bridge, and addresses.
const HOSTS: [(&str, &str, &str); 2] =
    [("mnistry-1", "mnistry-v1", "10.77.0.1"), ("mnistry-2", "mnistry-v2", "10.77.0.2")];

impl Hosts {
    /// Makes them.
    pub(crate) fn new() -> Self {
        remove();
        run(&format!("link add {BRIDGE} type bridge"));
        run(&format!("addr add {HERE} dev {BRIDGE}"));
        run(&format!("link set {BRIDGE} up"));
        for (name, device, address) in HOSTS {
            run(&format!("netns add {name}"));
            run(&format!("link add {device} type veth peer name eth0 netns {name}"));
            run(&format!("link set {device} master {BRIDGE} up"));
            run(&format!("-n {name} addr add {address}/24 dev eth0"));
            run(&format!("-n {name} link set eth0 up"));
            run(&format!("-n {name} link set lo up"));
            // By default a connection to nowhere is given up after a quarter of an hour.
            run(&format!("netns exec {name} sysctl -q -w net.ipv4.tcp_retries2=4"));
        }
        let folder = TempDir::new().expect("a temporary folder");
        let cases = HOSTS.map(|(name, _, address)| format!("{address}) host={name} ;;\n"));
        let script = format!(
            "#!/bin/sh\ncase \"$1\" in\n{}*) exit 1 ;;\nesac\nshift\n\
             exec ip netns exec \"$host\" sh -c \"$*\"\n",
            cases.concat()
        );
        let path = folder.path().join("reach");
        fs::write(&path, script).expect("it can be written");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("it is ours");
        Self { folder }
    }

    /// `mpirun`, on the first of them.
    pub(crate) fn mpirun() -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", HOSTS[0].0, "mpirun"]);
        command
    }

    /// What `mpirun` is told of them.
    pub(crate) fn arguments(&self) -> Vec<String> {
        let reach = self.folder.path().join("reach");
        let hosts = HOSTS.map(|(_, _, address)| format!("{address}:2"));
        let settings = [
            ("plm_rsh_agent", reach.to_string_lossy().into_owned()),
            ("orte_keep_fqdn_hostnames", "1".into()),
            ("btl", "tcp,self".into()),
            ("btl_tcp_if_include", NETWORK.into()),
            ("oob_tcp_if_include", NETWORK.into()),
            // Else its daemons crash now and then when they begin.
            ("rtc_hwloc_vmhole", "none".into()),
            // That a daemon is gone is found out by these.
            ("oob_tcp_keepalive_time", "5".into()),
            ("oob_tcp_keepalive_intvl", "2".into()),
            ("oob_tcp_keepalive_probes", "3".into()),
        ];
        let settings =
            settings.into_iter().flat_map(|(name, value)| ["--mca".into(), name.into(), value]);
        let places = ["--map-by".into(), "node".into(), "-H".into(), hosts.join(",")];
        settings.chain(places).collect()
    }

    /// Takes the second one off the bridge: it cannot be reached any more.
    pub(crate) fn cut_second_off(&self) {
        run(&format!("link set {} down", HOSTS[1].1));
    }
}

impl Drop for Hosts {
    fn drop(&mut self) {
        remove();
    }
}

/// Removes what there is of them, with the processes of the hosts.
fn remove() {
    for (name, device, _) in HOSTS {
        let pids = Command::new("ip").args(["netns", "pids", name]).output();
        let pids = pids.map(|found| String::from_utf8_lossy(&found.stdout).into_owned());
        for pid in pids.unwrap_or_default().split_whitespace() {
            let _ = Command::new("kill").args(["-9", pid]).output();
        }
        let _ = Command::new("ip").args(["netns", "del", name]).output();
        // It outlives a namespace in which a process is still ending.
        let _ = Command::new("ip").args(["link", "del", device]).output();
    }
    let _ = Command::new("ip").args(["link", "del", BRIDGE]).output();
}

fn run(arguments: &str) {
    let made = Command::new("ip").args(arguments.split_whitespace()).output().expect("there is ip");
    let said = String::from_utf8_lossy(&made.stderr);
    assert!(made.status.success(), "ip {arguments}: {said}: is this run as root?");
}
