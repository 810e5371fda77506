//! The portal as a destination, against the simulator, in this process and in simulated time.

#[cfg(test)]
mod refusals;
#[cfg(test)]
mod site;
#[cfg(test)]
mod undoing;
