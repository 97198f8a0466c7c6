//! The `flopgauge` program: everything is in [`flopgauge::cli`].

fn main() -> std::process::ExitCode {
    flopgauge::cli::main()
}
