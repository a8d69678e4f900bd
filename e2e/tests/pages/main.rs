//! What people see: the pages in a browser, the languages, and another product in place of Bookly.

mod acme;
mod adopting_doc;
mod browser;
mod cross_site;
mod frontend;
mod headers;
mod inbox;
mod input_fields;
mod languages;
