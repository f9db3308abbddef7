//! Nothing: a package needs a target that is built, so that what the bench needs is built before it is measured.
