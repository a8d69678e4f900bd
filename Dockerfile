# Both programs in one small image, without root. cargo-chef reads the list of crates from the workspace, so this file
# names none of them. Dependencies are in a layer of their own, which is built again only when they change.
FROM rust:1.95-bookworm AS chef
RUN cargo install cargo-chef --version 0.1.78 --locked
WORKDIR /src

# The recipe holds the manifests and the lock file, and no source.
FROM chef AS plan
COPY . .
RUN cargo chef prepare --recipe-path recipe.json

FROM chef AS build
COPY --from=plan /src/recipe.json recipe.json
RUN cargo chef cook --release --locked -p bookly-api -p bookly-worker --recipe-path recipe.json
COPY . .
RUN cargo build --release --locked -p bookly-api -p bookly-worker

FROM debian:bookworm-slim
RUN useradd --system --uid 10001 --no-create-home bookly
COPY --from=build /src/target/release/bookly-api /src/target/release/bookly-worker /usr/local/bin/
USER bookly
WORKDIR /tmp
EXPOSE 8000
CMD ["bookly-api"]
