//! Values that are older than a program takes: their status says so, and they may lose their value.

use super::{Builder, Element, Start, is_valid};

/// Feast's number of OUTSIDE_MAX_AGE.
const OUTSIDE_MAX_AGE: u8 = 4;

impl Builder {
    /// Judges column `place`, the last one that was ended, by its event timestamps: what is older than this moment, in
    /// nanoseconds since 1970, gets the status OUTSIDE_MAX_AGE, and loses its value if `drops`. What has no event timestamp is
    /// not judged.
    pub fn expire(&mut self, place: usize, oldest_ns: i64, drops: bool) {
        let response = &mut self.response;
        response.judged = true;
        let Some(timestamps) = response.event_timestamps(place) else { return };
        let old: Vec<bool> = timestamps.iter().map(|&moment| moment != 0 && moment < oldest_ns).collect();
        if !old.contains(&true) {
            return;
        }
        // They may be those of another column, too.
        let start = response.columns[place].statuses;
        response.columns[place].statuses = response.statuses.len();
        for (row, &old) in old.iter().enumerate() {
            let status = if old { OUTSIDE_MAX_AGE } else { response.statuses[start + row] };
            response.statuses.push(status);
        }
        if drops {
            self.drop_rows(place, &old);
        }
    }

    fn drop_rows(&mut self, place: usize, dropped: &[bool]) {
        let response = &mut self.response;
        let column = &mut response.columns[place];
        match column.validity {
            Some(start) => {
                let bits = &mut response.bits[start.get()..];
                let rows = dropped.iter().enumerate().filter(|(_, dropped)| **dropped);
                rows.for_each(|(row, _)| bits[row / 8] &= !(1 << (row % 8)));
            }
            None => {
                column.validity = Some(Start::new(response.bits.len()));
                append_bits(&mut response.bits, dropped.iter().map(|dropped| !dropped));
            }
        }
        if column.kind.list {
            return self.drop_lists(place, dropped);
        }
        let values = column.values.clone();
        let rows = |row: &usize| dropped[*row];
        match column.kind.element {
            Element::Null => (),
            Element::Bool => {
                let bytes = &mut response.bytes[values.bytes];
                (0..dropped.len()).filter(rows).for_each(|row| bytes[row] = 0);
            }
            Element::Int32 | Element::Float => {
                (0..dropped.len()).filter(rows).for_each(|row| response.halves[values.start + row] = 0);
            }
            Element::Int64 | Element::UnixTimestamp | Element::Double => {
                (0..dropped.len()).filter(rows).for_each(|row| response.words[values.start + row] = 0);
            }
            Element::String | Element::Bytes | Element::Json => {
                self.keep_texts(place, dropped.iter().map(|dropped| !dropped), true);
            }
        }
    }

    /// A null row has no items.
    fn drop_lists(&mut self, place: usize, dropped: &[bool]) {
        let response = &mut self.response;
        let column = &mut response.columns[place];
        let offsets = &mut response.list_offsets[column.list_offsets..];
        let mut keeps = vec![true; column.values.count];
        let (mut first, mut end) = (0, 0);
        for (row, dropped) in dropped.iter().enumerate() {
            let items = first..offsets[row + 1] as usize;
            first = items.end;
            match dropped {
                true => keeps[items].fill(false),
                false => end += items.len() as i64,
            }
            offsets[row + 1] = end;
        }
        let kept: Vec<usize> = (0..keeps.len()).filter(|&item| keeps[item]).collect();
        let start = column.values.start;
        if let Some(bits) = column.item_validity {
            let before = response.item_bits.split_off(bits.get());
            append_bits(&mut response.item_bits, kept.iter().map(|&item| is_valid(Some(&before), item)));
        }
        match column.kind.element {
            Element::Null => column.values.count = kept.len(),
            Element::Bool => {
                let bytes = column.values.bytes.start;
                keep(&mut response.bytes, bytes, &kept);
                column.values.bytes.end = bytes + kept.len();
                column.values.count = kept.len();
            }
            Element::Int32 | Element::Float => {
                keep(&mut response.halves, start, &kept);
                column.values.count = kept.len();
            }
            Element::Int64 | Element::UnixTimestamp | Element::Double => {
                keep(&mut response.words, start, &kept);
                column.values.count = kept.len();
            }
            Element::String | Element::Bytes | Element::Json => {
                self.keep_texts(place, keeps.into_iter(), false)
            }
        }
    }

    /// Keeps some texts of the last column; the others become empty, or go.
    fn keep_texts(&mut self, place: usize, keeps: impl Iterator<Item = bool>, empty: bool) {
        let response = &mut self.response;
        let values = &mut response.columns[place].values;
        let offsets: Vec<usize> = response.words[values.start..=values.start + values.count]
            .iter()
            .map(|&offset| offset as usize)
            .collect();
        let texts = response.bytes.split_off(values.bytes.start);
        response.words.truncate(values.start + 1);
        for (at, keeps) in keeps.enumerate() {
            if keeps {
                response.bytes.extend_from_slice(&texts[offsets[at]..offsets[at + 1]]);
            }
            if keeps || empty {
                response.words.push((response.bytes.len() - values.bytes.start) as u64);
            }
        }
        values.bytes.end = response.bytes.len();
        values.count = response.words.len() - values.start - 1;
    }
}

/// Keeps these of the items from `start` to the end.
fn keep<T: Copy>(values: &mut Vec<T>, start: usize, kept: &[usize]) {
    kept.iter().enumerate().for_each(|(to, item)| values[start + to] = values[start + item]);
    values.truncate(start + kept.len());
}

fn append_bits(out: &mut Vec<u8>, bits: impl Iterator<Item = bool>) {
    let start = out.len();
    for (at, bit) in bits.enumerate() {
        if at % 8 == 0 {
            out.push(0);
        }
        out[start + at / 8] |= u8::from(bit) << (at % 8);
    }
}
