# Both binaries in one small image. Dependencies are built in a layer of their own, which changes only with them.
FROM rust:1.95-bookworm AS build
WORKDIR /src
COPY Cargo.toml Cargo.lock ./
COPY api/Cargo.toml api/
COPY worker/Cargo.toml worker/
COPY shared/Cargo.toml shared/
COPY e2e/Cargo.toml e2e/
COPY bench/Cargo.toml bench/
RUN for crate in api worker shared e2e bench; do mkdir -p $crate/src && touch $crate/src/lib.rs; done \
    && for crate in api worker; do echo 'fn main() {}' > $crate/src/main.rs; done \
    && cargo build --release --locked -p bookly-api -p bookly-worker \
    && rm -rf api/src worker/src shared/src
COPY migrations migrations
COPY templates templates
COPY shared shared
COPY worker worker
COPY api api
# Newer than the empty crates above, whatever the files' own times are.
RUN find api worker shared -name '*.rs' -exec touch {} + \
    && cargo build --release --locked -p bookly-api -p bookly-worker

FROM debian:bookworm-slim
RUN useradd --system --uid 10001 --no-create-home bookly
COPY --from=build /src/target/release/bookly-api /src/target/release/bookly-worker /usr/local/bin/
USER bookly
WORKDIR /tmp
EXPOSE 8000
CMD ["bookly-api"]
