//! The few forms of DER (ITU-T X.690) that certificates are made of.
//!
//! Written by hand because an imported CA's name must be repeated byte for byte in what it issues, which builders that
//! rebuild names from attributes do not do (several `DC` or `OU`, string types).

use writ_base::Moment;

pub(crate) const BOOLEAN: u8 = 0x01;
pub(crate) const INTEGER: u8 = 0x02;
pub(crate) const BIT_STRING: u8 = 0x03;
pub(crate) const OCTET_STRING: u8 = 0x04;
pub(crate) const OID: u8 = 0x06;
pub(crate) const UTF8_STRING: u8 = 0x0c;
pub(crate) const UTC_TIME: u8 = 0x17;
pub(crate) const GENERALIZED_TIME: u8 = 0x18;
pub(crate) const SEQUENCE: u8 = 0x30;
pub(crate) const SET: u8 = 0x31;

/// Context-specific, primitive.
pub(crate) const fn context(number: u8) -> u8 {
    0x80 | number
}

/// Context-specific, constructed.
pub(crate) const fn context_constructed(number: u8) -> u8 {
    0xa0 | number
}

/// Tag, length and the given contents, one after the other.
pub(crate) fn tlv(tag: u8, contents: &[&[u8]]) -> Vec<u8> {
    let length = contents.iter().map(|part| part.len()).sum::<usize>();
    let mut bytes = Vec::with_capacity(length + 6);
    bytes.push(tag);
    push_length(&mut bytes, length);
    for part in contents {
        bytes.extend_from_slice(part);
    }
    bytes
}

fn push_length(bytes: &mut Vec<u8>, length: usize) {
    match u8::try_from(length) {
        Ok(short) if short < 0x80 => bytes.push(short),
        _ => {
            let all = length.to_be_bytes();
            let zeros = all.iter().take_while(|byte| **byte == 0).count();
            bytes.push(0x80 | u8::try_from(all.len() - zeros).unwrap_or(8));
            bytes.extend(all.iter().skip(zeros));
        }
    }
}

/// A sequence of ready parts.
pub(crate) fn sequence(parts: &[&[u8]]) -> Vec<u8> {
    tlv(SEQUENCE, parts)
}

/// A bit string of whole bytes.
pub(crate) fn bit_string(bytes: &[u8]) -> Vec<u8> {
    tlv(BIT_STRING, &[&[0], bytes])
}

/// A time as RFC 5280, section 4.1.2.5, wants it: `UTCTime` until 2049, `GeneralizedTime` from 2050 on; whole seconds.
pub(crate) fn time(moment: Moment) -> Vec<u8> {
    let (year, month, day) = moment.date();
    let second = moment.seconds();
    let (hour, minute, second) = (second / 3600, second / 60, second);
    let rest = format!(
        "{month:02}{day:02}{:02}{:02}{:02}Z",
        hour.rem_euclid(24),
        minute.rem_euclid(60),
        second.rem_euclid(60)
    );
    if (1950..2050).contains(&year) {
        tlv(UTC_TIME, &[format!("{:02}{rest}", year.rem_euclid(100)).as_bytes()])
    } else {
        tlv(GENERALIZED_TIME, &[format!("{year:04}{rest}").as_bytes()])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_take_the_shortest_form() {
        assert_eq!(tlv(OCTET_STRING, &[&[7; 127]])[..2], [0x04, 0x7f]);
        assert_eq!(tlv(OCTET_STRING, &[&[7; 128]])[..3], [0x04, 0x81, 0x80]);
        assert_eq!(tlv(OCTET_STRING, &[&[7; 255], &[7]])[..4], [0x04, 0x82, 0x01, 0x00]);
    }

    #[test]
    fn years_from_2050_on_have_four_digits() {
        let text = |day: &str| String::from_utf8(time(Moment::parse(day).unwrap())[2..].to_vec()).unwrap();
        assert_eq!(text("2026-11-22T09:30:05Z"), "261122093005Z");
        assert_eq!(text("2049-12-31T23:59:59Z"), "491231235959Z");
        assert_eq!(text("2050-01-01T00:00:00Z"), "20500101000000Z");
    }
}
