//! What a policy says about a sending address (RFC 7208, section 2.6 and 5).

use std::net::IpAddr;

use ipnet::IpNet;

/// The result for an address.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Verdict {
    Pass,
    Fail,
    SoftFail,
    Neutral,
    /// It depends on the email or on the reverse name of the address.
    CannotTell,
}

/// A record with everything that it refers to.
#[derive(Debug, Default)]
pub(super) struct Policy {
    /// The first that matches decides.
    pub(super) directives: Vec<(Verdict, Matcher)>,
    /// The policy of `redirect`, where no directive matches.
    pub(super) otherwise: Option<Box<Policy>>,
}

/// What an address is compared with, after all look-ups.
#[derive(Debug)]
pub(super) enum Matcher {
    All,
    Networks(Vec<IpNet>),
    Include(Box<Policy>),
    Unknown,
}

impl Policy {
    pub(super) fn verdict(&self, address: IpAddr) -> Verdict {
        // What directives before the deciding one would say if they matched.
        let mut possible = Vec::new();
        for (verdict, matcher) in &self.directives {
            match matcher.matches(address) {
                Some(true) => return settled(*verdict, &possible),
                Some(false) => {}
                None => possible.push(*verdict),
            }
        }
        let last = self.otherwise.as_ref().map_or(Verdict::Neutral, |policy| policy.verdict(address));
        settled(last, &possible)
    }

    /// Whether it lets every address send.
    pub(super) fn allows_all(&self) -> bool {
        self.directives.iter().any(|directive| matches!(directive, (Verdict::Pass, Matcher::All)))
    }
}

fn settled(verdict: Verdict, possible: &[Verdict]) -> Verdict {
    if possible.iter().all(|other| *other == verdict) { verdict } else { Verdict::CannotTell }
}

impl Matcher {
    /// `None` where it is not known.
    fn matches(&self, address: IpAddr) -> Option<bool> {
        match self {
            Matcher::All => Some(true),
            Matcher::Networks(networks) => Some(networks.iter().any(|network| network.contains(&address))),
            Matcher::Include(policy) => match policy.verdict(address) {
                Verdict::Pass => Some(true),
                Verdict::CannotTell => None,
                Verdict::Fail | Verdict::SoftFail | Verdict::Neutral => Some(false),
            },
            Matcher::Unknown => None,
        }
    }
}
