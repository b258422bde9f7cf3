/// Sum of the first numbers (Gauss).
#[no_mangle]
pub extern "C" fn triangular(n: u64) -> u64 {
    n * (n + 1) / 2
}
