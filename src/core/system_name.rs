//! What the operating system calls a thread, where it has room for less than the whole name.

use std::borrow::Cow;

/// How many bytes the system has room for.
const ROOM: usize = if cfg!(any(target_os = "linux", target_os = "android")) {
    15
} else if cfg!(target_vendor = "apple") {
    63
} else {
    usize::MAX
};

/// The name as far as the system has room for it. The numbers at its end stay, for workers are told apart by
/// them: of `a-long-prefix-0_12` it is `a-long-pre-0_12`.
#[must_use]
pub fn system_name(name: &str) -> Cow<'_, str> {
    shortened(name, ROOM)
}

fn shortened(name: &str, room: usize) -> Cow<'_, str> {
    if name.len() <= room {
        return Cow::Borrowed(name);
    }
    let head = name.trim_end_matches(|it: char| it.is_ascii_digit() || "-_".contains(it));
    let numbers = &name[head.len()..];
    // All of them are single bytes.
    let numbers = &numbers[numbers.len().saturating_sub(room)..];
    let mut cut = room - numbers.len();
    while !head.is_char_boundary(cut) {
        cut -= 1;
    }
    Cow::Owned(format!("{}{numbers}", &head[..cut]))
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_fits_stays_as_it_is() {
        for name in ["", "ant_0", "ameise-größ_0", "0123456789-1234"] {
            assert_eq!(shortened(name, 15), name);
        }
    }

    #[test]
    fn of_a_longer_one_the_numbers_stay() {
        assert_eq!(shortened("averylongprefix_7", 15), "averylongpref_7");
        assert_eq!(shortened("averylongprefix_12345", 15), "averylong_12345");
        assert_eq!(shortened("ThreadPoolExecutor-0_12", 15), "ThreadPool-0_12");
        assert_eq!(
            shortened("averylongprefix_deadlines", 15),
            "averylongprefix"
        );
    }

    #[test]
    fn of_more_numbers_than_there_is_room_for_the_last_ones_stay() {
        assert_eq!(
            shortened("prefix-123456789_12345678", 15),
            "456789_12345678"
        );
    }

    #[test]
    fn no_character_is_cut() {
        assert_eq!(shortened("größenvergleich_1", 15), "größenvergl_1");
        assert_eq!(shortened("ああああああ_12", 15), "ああああ_12");
        assert_eq!(shortened("ああああああ_1", 15), "ああああ_1");
        assert_eq!(shortened("🐜🐜🐜🐜🐜_123", 15), "🐜🐜_123");
    }
}
