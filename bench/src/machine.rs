//! What the system says of processes: CPU time, memory, and how much of the machine other programs used.

use std::collections::BTreeMap;
use std::fs;
use std::time::{Duration, Instant, SystemTime};

use anyhow::Context;

/// `_SC_CLK_TCK`: Linux shows CPU times in hundredths of a second on every architecture that it still supports.
const TICKS_PER_SECOND: f64 = 100.0;

/// A moment that other processes of this machine understand: nanoseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Clock(pub(crate) u64);

impl Clock {
    /// This moment.
    pub(crate) fn now() -> Clock {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or(Duration::ZERO);
        Clock(u64::try_from(since.as_nanos()).unwrap_or(u64::MAX))
    }

    /// Milliseconds since an earlier moment, negative when that came later.
    pub(crate) fn ms_since(self, earlier: Clock) -> f64 {
        (self.0 as f64 - earlier.0 as f64) / 1e6
    }
}

/// CPU time by name of process, since a moment.
#[derive(Debug)]
pub(crate) struct Meter {
    began: Instant,
    busy: f64,
    own: BTreeMap<String, f64>,
}

/// What was used since a meter began.
#[derive(Debug)]
pub(crate) struct Used {
    /// Wall time in seconds.
    pub(crate) seconds: f64,
    /// The share of all cores that processes took which are none of this run's, 0 to 1.
    pub(crate) others: f64,
    cpu: BTreeMap<String, f64>,
}

impl Meter {
    /// Begins.
    pub(crate) fn start() -> anyhow::Result<Meter> {
        Ok(Meter { busy: busy_seconds()?, own: own_seconds()?, began: Instant::now() })
    }

    /// What was used up to now.
    pub(crate) fn read(&self) -> anyhow::Result<Used> {
        let seconds = self.began.elapsed().as_secs_f64();
        let mut cpu = own_seconds()?;
        for (name, before) in &self.own {
            *cpu.entry(name.clone()).or_default() -= before;
        }
        let others = (busy_seconds()? - self.busy - cpu.values().sum::<f64>()) / (seconds * cores() as f64);
        Ok(Used { seconds, others: others.clamp(0.0, 1.0), cpu })
    }
}

impl Used {
    /// CPU milliseconds, user and system, of the processes with these names.
    pub(crate) fn cpu_ms(&self, names: &[&str]) -> f64 {
        names.iter().filter_map(|name| self.cpu.get(*name)).sum::<f64>() * 1000.0
    }
}

/// How many cores there are.
pub(crate) fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

/// The system and the servers that the service stands on: Linux, Postgres, Redis, each with its version.
pub(crate) fn versions(postgres: &str) -> anyhow::Result<String> {
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease")?;
    let redis = std::process::Command::new("redis-server").arg("--version").output()?;
    let redis = String::from_utf8_lossy(&redis.stdout).into_owned();
    let redis =
        redis.split_whitespace().find_map(|word| word.strip_prefix("v=")).unwrap_or("of unknown version");
    // "17.5 (Debian 17.5-1)"
    let postgres = postgres.split_whitespace().next().unwrap_or_default();
    // The distributor's addition does not matter for the speed.
    let kernel = kernel.trim().split('-').next().unwrap_or_default();
    Ok(format!("Linux {kernel}, Postgres {postgres}, Redis {redis}"))
}

/// The machine's memory in GiB.
pub(crate) fn memory_gib() -> anyhow::Result<f64> {
    Ok(kib_of(&fs::read_to_string("/proc/meminfo")?, "MemTotal:")? / 1024.0 / 1024.0)
}

/// Memory of a process in MB (10⁶ bytes): what it has in RAM now, and the most that it ever had.
pub(crate) fn memory_mb(process: u32) -> anyhow::Result<(f64, f64)> {
    let status = fs::read_to_string(format!("/proc/{process}/status"))?;
    let mb = |label| anyhow::Ok(kib_of(&status, label)? * 1024.0 / 1e6);
    Ok((mb("VmRSS:")?, mb("VmHWM:")?))
}

/// A line's number from one of proc(5)'s tables in kB.
fn kib_of(table: &str, label: &str) -> anyhow::Result<f64> {
    let line = table.lines().find_map(|line| line.strip_prefix(label)).context(label.to_owned())?;
    Ok(line.trim().trim_end_matches(" kB").parse()?)
}

/// Seconds that all cores together were busy since the machine started.
fn busy_seconds() -> anyhow::Result<f64> {
    let stat = fs::read_to_string("/proc/stat")?;
    let line = stat.lines().next().context("/proc/stat is empty")?;
    let ticks: Vec<f64> = line.split_whitespace().skip(1).take(8).flat_map(str::parse).collect();
    // user nice system idle iowait irq softirq steal
    let idle = ticks.get(3).unwrap_or(&0.0) + ticks.get(4).unwrap_or(&0.0);
    Ok((ticks.iter().sum::<f64>() - idle) / TICKS_PER_SECOND)
}

struct Process {
    parent: u32,
    name: String,
    seconds: f64,
}

/// CPU seconds of this process and of all that descend from it, by name; of those that ended, counted for the process
/// that waited for them.
fn own_seconds() -> anyhow::Result<BTreeMap<String, f64>> {
    let processes = processes()?;
    let own = std::process::id();
    let mut sums = BTreeMap::new();
    for (id, process) in &processes {
        let mut ancestor = *id;
        while ancestor != own {
            match processes.get(&ancestor) {
                Some(process) => ancestor = process.parent,
                None => break,
            }
        }
        if ancestor == own {
            *sums.entry(process.name.clone()).or_default() += process.seconds;
        }
    }
    Ok(sums)
}

fn processes() -> anyhow::Result<BTreeMap<u32, Process>> {
    let entries = fs::read_dir("/proc")?.flatten();
    let ids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    // One that ends meanwhile is left out.
    Ok(ids
        .filter_map(|id| Some((id, read_stat(&fs::read_to_string(format!("/proc/{id}/stat")).ok()?)?)))
        .collect())
}

/// A line of proc_pid_stat(5): `id (name) state parent … utime stime cutime cstime`, the times as fields 14 to 17.
fn read_stat(line: &str) -> Option<Process> {
    let (head, tail) = line.rsplit_once(')')?;
    let name = head.split_once('(')?.1.to_owned();
    let fields: Vec<&str> = tail.split_whitespace().collect();
    let ticks: f64 = fields.get(11..15)?.iter().flat_map(|field| field.parse::<f64>()).sum();
    Some(Process { parent: fields.get(1)?.parse().ok()?, name, seconds: ticks / TICKS_PER_SECOND })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_brackets_and_spaces_does_not_shift_the_fields() {
        let line = "7 (a) b) c) S 3 7 7 0 -1 4194560 1 2 3 4 150 50 20 30 20 0 1 0 5 6 7";
        let process = read_stat(line).unwrap();
        assert_eq!((process.parent, process.name.as_str(), process.seconds), (3, "a) b) c", 2.5));
    }

    #[test]
    fn this_process_and_its_memory_are_seen() {
        let meter = Meter::start().unwrap();
        assert!(!meter.own.is_empty());
        let (now, most) = memory_mb(std::process::id()).unwrap();
        assert!(now > 0.0 && most >= now);
    }
}
