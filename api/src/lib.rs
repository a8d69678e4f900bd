//! The HTTP API.

pub mod hasher;
pub mod jwt;
pub mod pages;
