//! The time of a record, as people and other programs read it.

/// Formats milliseconds since 1970-01-01 UTC as RFC 3339.
pub fn rfc3339(ms: u64) -> String {
    let (days, rest) = (ms / 86_400_000, ms % 86_400_000);
    let (year, month, day) = civil(days);
    let (hour, minute, second, milli) = (
        rest / 3_600_000,
        rest / 60_000 % 60,
        rest / 1000 % 60,
        rest % 1000,
    );
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{milli:03}Z")
}

/// Returns days since 1970-01-01 as year, month and day. Years begin in March here, so that a leap
/// day is the last of its year; an era is 400 years, which always have 146,097 days.
fn civil(days: u64) -> (u64, u64, u64) {
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 {
        from_march + 3
    } else {
        from_march - 9
    };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    (year, month, day)
}

/// Parses a time to milliseconds since 1970-01-01 UTC: a date, or a date and a time to the minute,
/// second or fraction, in UTC (`Z` or nothing) or with an offset such as `+02:00`.
pub fn parse_time(text: &str) -> Option<u64> {
    let (date, time) = text.split_once(['T', 't', ' ']).unwrap_or((text, "00:00"));
    let [year, month, day] = numbers(date, '-')?;
    let (time, ahead_ms) = split_offset(time)?;
    let (time, fraction) = time.split_once('.').unwrap_or((time, "0"));
    let time = if time.len() == 5 {
        format!("{time}:00")
    } else {
        time.to_owned()
    };
    let [hour, minute, second] = numbers(&time, ':')?;
    let days = days_since_1970(year, month, day)?;
    if civil(days) != (year, month, day) || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let ms =
        days * 86_400_000 + hour * 3_600_000 + minute * 60_000 + second * 1000 + millis(fraction)?;
    ms.checked_add_signed(-ahead_ms)
}

/// Returns a time of day without its offset, and how far its clock is ahead of UTC.
fn split_offset(time: &str) -> Option<(&str, i64)> {
    if let Some(time) = time.strip_suffix(['Z', 'z']) {
        return Some((time, 0));
    }
    let Some(at) = time.find(['+', '-']) else {
        return Some((time, 0));
    };
    let (time, offset) = time.split_at_checked(at)?;
    let [hours, minutes] = numbers(offset.get(1..)?, ':')?;
    let ms = i64::try_from(hours * 3_600_000 + minutes * 60_000)
        .ok()
        .filter(|ms| *ms < 86_400_000)?;
    Some((time, if offset.starts_with('-') { -ms } else { ms }))
}

/// Returns exactly this many numbers of at most four digits.
fn numbers<const N: usize>(text: &str, between: char) -> Option<[u64; N]> {
    let number = |digits: &str| {
        let plain =
            (1..=4).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
        if plain { digits.parse().ok() } else { None }
    };
    let all: Vec<u64> = text.split(between).map(number).collect::<Option<_>>()?;
    all.try_into().ok()
}

fn millis(fraction: &str) -> Option<u64> {
    let plain = !fraction.is_empty() && fraction.bytes().all(|byte| byte.is_ascii_digit());
    if plain {
        format!("{fraction:0<3}").get(..3)?.parse().ok()
    } else {
        None
    }
}

/// Returns the inverse of [`civil`], from 1970 on.
fn days_since_1970(year: u64, month: u64, day: u64) -> Option<u64> {
    let year = if month <= 2 {
        year.checked_sub(1)?
    } else {
        year
    };
    let from_march = if month > 2 {
        month.checked_sub(3)?
    } else {
        month + 9
    };
    let (era, year_of_era) = (year / 400, year % 400);
    let day_of_year = (153 * from_march + 2) / 5 + day.checked_sub(1)?;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    (era * 146_097 + day_of_era).checked_sub(719_468)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_read_as_people_write_it() {
        for ms in [
            0,
            951_782_399_999,
            951_782_400_000,
            1_709_251_199_000,
            4_107_542_400_000,
            253_402_300_799_000,
        ] {
            assert_eq!(parse_time(&rfc3339(ms)), Some(ms));
        }
        let cases = [
            ("2025-11-21", Some(1_763_683_200_000)),
            ("2025-11-21T08:00", Some(1_763_712_000_000)),
            ("2025-11-21 08:00:00Z", Some(1_763_712_000_000)),
            ("2025-11-21T08:00:00.5Z", Some(1_763_712_000_500)),
            ("2025-11-21T10:00:00+02:00", Some(1_763_712_000_000)),
            ("2025-11-21T03:00-05:00", Some(1_763_712_000_000)),
            ("2025-02-30", None),
            ("2025-13-01", None),
            ("2025-00-01", None),
            ("2025-11-21T24:00", None),
            ("1969-12-31", None),
            ("yesterday", None),
            ("2025-11-21T", None),
            ("", None),
        ];
        for (text, expected) in cases {
            assert_eq!(parse_time(text), expected, "{text}");
        }
    }

    #[test]
    fn times_are_told_as_the_calendar_has_them() {
        let cases = [
            (0, "1970-01-01T00:00:00.000Z"),
            (951_782_399_999, "2000-02-28T23:59:59.999Z"),
            (951_782_400_000, "2000-02-29T00:00:00.000Z"),
            (1_709_251_199_000, "2024-02-29T23:59:59.000Z"),
            (1_735_689_599_000, "2024-12-31T23:59:59.000Z"),
            (4_107_542_400_000, "2100-03-01T00:00:00.000Z"),
            (253_402_300_799_000, "9999-12-31T23:59:59.000Z"),
        ];
        for (ms, expected) in cases {
            assert_eq!(rfc3339(ms), expected);
        }
    }
}
