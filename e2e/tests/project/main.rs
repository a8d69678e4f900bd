//! The project itself: the image, the documents, the licences of its libraries, the units, and the tests' own servers.

mod harness;
mod image;
mod security_doc;
mod supply_chain;
mod units;
