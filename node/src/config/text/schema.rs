//! The sections and keys with their types, found by asking how the file is read: there is no second table of them.

use std::cell::RefCell;
use std::fmt;
use std::sync::LazyLock;

use serde::de::value::StrDeserializer;
use serde::de::{
    self, DeserializeSeed, Deserializer, Expected, IntoDeserializer, MapAccess, SeqAccess, Visitor,
};
use serde::{Deserialize, forward_to_deserialize_any};

use crate::config::file::File;

/// Names of keys, in their order, and what each is.
pub(super) type Keys = Vec<(&'static str, Kind)>;

/// What a key is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    /// A text that names a file.
    Path,
    /// One of these words.
    Word(&'static [&'static str]),
    Integer,
    Boolean,
    List(Box<Kind>),
    Block(Keys),
    /// A list of blocks; the first key of each tells which it is.
    Blocks(Keys),
}

/// All of the file.
pub(super) fn keys() -> &'static Keys {
    static KEYS: LazyLock<Keys> = LazyLock::new(|| {
        let Kind::Block(keys) = kind(&mut Vec::new()) else {
            return Keys::new();
        };
        keys
    });
    &KEYS
}

/// The step from a list to its elements.
const ELEMENT: &str = "[]";

/// What is at a path of keys.
fn kind(path: &mut Vec<&'static str>) -> Kind {
    let found = RefCell::new(Found::Other);
    // It ends with an error, once what is there is known.
    let _ended = File::deserialize(Probe {
        path,
        found: &found,
    });
    let mut below = |name| {
        path.push(name);
        let kind = kind(path);
        path.pop();
        kind
    };
    match found.into_inner() {
        Found::Struct(fields) => {
            Kind::Block(fields.iter().map(|name| (*name, below(name))).collect())
        }
        Found::List => {
            let of = below(ELEMENT);
            if let Kind::Block(keys) = of {
                return Kind::Blocks(keys);
            }
            Kind::List(Box::new(of))
        }
        Found::Is(kind) => kind,
        Found::Other => Kind::Text,
    }
}

/// What was asked for at the end of the path.
enum Found {
    Struct(&'static [&'static str]),
    List,
    Is(Kind),
    Other,
}

/// Follows a path, and ends with an error where it ends.
struct Probe<'p> {
    path: &'p [&'static str],
    found: &'p RefCell<Found>,
}

/// The path has ended.
#[derive(Debug)]
struct Ended;

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the path has ended")
    }
}

impl std::error::Error for Ended {}

impl de::Error for Ended {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self
    }
}

impl Probe<'_> {
    fn is<T>(&self, kind: Kind) -> Result<T, Ended> {
        self.found.replace(Found::Is(kind));
        Err(Ended)
    }
}

macro_rules! integers {
    ($($method:ident)*) => {$(
        fn $method<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Ended> {
            self.is(Kind::Integer)
        }
    )*};
}

impl<'de> Deserializer<'de> for Probe<'_> {
    type Error = Ended;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Ended> {
        Err(Ended)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Ended> {
        match self.path {
            [] => {
                self.found.replace(Found::Struct(fields));
                Err(Ended)
            }
            [_, ..] => visitor.visit_map(self),
        }
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Ended> {
        match self.path {
            [] => {
                self.found.replace(Found::List);
                Err(Ended)
            }
            [_, ..] => visitor.visit_seq(self),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Ended> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Ended> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Ended> {
        let wanted = (&visitor as &dyn Expected).to_string();
        self.is(match wanted == "path string" {
            true => Kind::Path,
            false => Kind::Text,
        })
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Ended> {
        self.deserialize_string(visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, Ended> {
        self.is(Kind::Word(variants))
    }

    fn deserialize_bool<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Ended> {
        self.is(Kind::Boolean)
    }

    integers! {
        deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64
        deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64
    }

    forward_to_deserialize_any! {
        i128 u128 f32 f64 char bytes byte_buf unit unit_struct tuple tuple_struct map identifier ignored_any
    }
}

impl<'de> MapAccess<'de> for Probe<'_> {
    type Error = Ended;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Ended> {
        let Some(name) = self.path.first() else {
            return Ok(None);
        };
        let name: StrDeserializer<'_, Ended> = (*name).into_deserializer();
        seed.deserialize(name).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Ended> {
        seed.deserialize(self.below())
    }
}

impl<'de> SeqAccess<'de> for Probe<'_> {
    type Error = Ended;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Ended> {
        seed.deserialize(self.below()).map(Some)
    }
}

impl Probe<'_> {
    fn below(&self) -> Probe<'_> {
        Probe {
            path: self.path.get(1..).unwrap_or_default(),
            found: self.found,
        }
    }
}
