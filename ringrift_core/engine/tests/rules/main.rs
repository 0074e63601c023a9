//! The rules, section by section, on boards drawn as text; properties over random games; recorded games.

mod conformance;
mod drawn;
mod endings;
mod examples;
mod lines;
mod movement_and_capture;
mod properties;
mod recovery;
mod refused;
mod territory;
mod turn_and_placement;
