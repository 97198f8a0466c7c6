//! Machine code for one device: compiled once, kept by architecture, source and compiler.

use std::path::PathBuf;

use sha2::{Digest, Sha256};

use super::nvrtc::{Nvrtc, Version};
use super::rows::Source;
use crate::files::{cache_folder, write_atomically};

/// What a device is given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Image {
    /// Machine code.
    pub cubin: Vec<u8>,
    /// PTX, for a driver that does not take the machine code.
    pub ptx: String,
}

/// Compiles, or reads what was compiled before from equal source and options by an equal compiler.
///
/// Errors: the compiler's log.
pub(super) fn compile(nvrtc: &Nvrtc, source: Source, options: &[String]) -> Result<Image, String> {
    let place = place(nvrtc, source, options);
    if let Some(image) = place.as_ref().and_then(|place| unpack(&std::fs::read(place).ok()?)) {
        return Ok(image);
    }
    let compiled = nvrtc.compile(source.text, source.file, options).map_err(|error| error.to_string())?;
    let image = Image { cubin: compiled.cubin, ptx: compiled.ptx };
    if let Some(place) = place {
        // A cache that cannot be written costs a second at the next run, and nothing else.
        let _ = place.parent().map(std::fs::create_dir_all);
        let _ = write_atomically(&place, &pack(&image));
    }
    Ok(image)
}

fn place(nvrtc: &Nvrtc, source: Source, options: &[String]) -> Option<PathBuf> {
    Some(cache_folder()?.join("kernels").join(key(nvrtc.version(), source, options)))
}

/// Name of what a compiler makes of a source; the options say the architecture and every constant.
fn key(version: Version, source: Source, options: &[String]) -> String {
    let mut hash = Sha256::new();
    let options = options.iter().map(String::as_str);
    for part in [version.to_string().as_str(), source.text].into_iter().chain(options) {
        hash.update(part.len().to_le_bytes());
        hash.update(part.as_bytes());
    }
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A hash of all that follows, the length of the machine code, the machine code, the PTX.
fn pack(image: &Image) -> Vec<u8> {
    let mut body = u64::try_from(image.cubin.len()).unwrap_or(0).to_le_bytes().to_vec();
    body.extend_from_slice(&image.cubin);
    body.extend_from_slice(image.ptx.as_bytes());
    let mut all = Sha256::digest(&body).to_vec();
    all.append(&mut body);
    all
}

/// `None` for a file that is cut or damaged.
fn unpack(bytes: &[u8]) -> Option<Image> {
    let (hash, body) = bytes.split_at_checked(32)?;
    if Sha256::digest(body).as_slice() != hash {
        return None;
    }
    let (length, rest) = body.split_at_checked(8)?;
    let length = usize::try_from(u64::from_le_bytes(length.try_into().ok()?)).ok()?;
    let (cubin, ptx) = rest.split_at_checked(length)?;
    Some(Image { cubin: cubin.to_vec(), ptx: String::from_utf8(ptx.to_vec()).ok()? })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::rows::{COPY, target};
    use super::*;

    #[test]
    fn another_architecture_constant_source_or_compiler_is_compiled_anew() {
        let version = |major, minor| Version { major, minor };
        let (ampere, hopper) = (target(8, 0).unwrap(), target(9, 0).unwrap());
        let options = COPY.options(ampere);
        let (mut unrolled, mut text) = (options.clone(), COPY.source);
        unrolled.pop();
        unrolled.push("-DUNROLL=3".to_owned());
        text.text = "another kernel";
        let first = key(version(13, 5), COPY.source, &options);
        assert_eq!(first, key(version(13, 5), COPY.source, &options));
        let keys = [
            first,
            key(version(13, 4), COPY.source, &options),
            key(version(12, 5), COPY.source, &options),
            key(version(13, 5), COPY.source, &COPY.options(hopper)),
            key(version(13, 5), COPY.source, &hopper.virtual_options(&options)),
            key(version(13, 5), COPY.source, &unrolled),
            key(version(13, 5), text, &options),
        ];
        assert_eq!(keys.iter().collect::<BTreeSet<_>>().len(), keys.len(), "{keys:?}");
    }

    #[test]
    fn a_damaged_cache_file_is_not_used() {
        let image = Image { cubin: vec![1, 2, 3], ptx: "ptx".to_owned() };
        let whole = pack(&image);
        assert_eq!(unpack(&whole), Some(image));
        for at in 0..whole.len() {
            let mut bytes = whole.clone();
            bytes[at] ^= 1;
            assert_eq!(unpack(&bytes), None, "{at}");
            assert_eq!(unpack(&whole[..at]), None, "{at}");
        }
    }
}
