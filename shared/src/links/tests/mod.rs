mod codes;
mod tokens;
