// work    none: a loop of a known number of trips, each depending on the one before
// shape   none
// launch  one invocation
// needs   nothing
// A driver that ends loops early leaves another number. The step has no closed form that a compiler would put in its
// place, and the host's replay of it tells how many trips were made.
struct Control { trips: u32, seed: u32 }
@group(0) @binding(0) var<uniform> control: Control;
@group(0) @binding(1) var<storage, read_write> result: array<u32>;
@compute @workgroup_size(1)
fn main() {
  var state = control.seed;
  for (var trip = 0u; trip < control.trips; trip++) {
    state = (state ^ (state >> 15u)) * 1664525u + 1013904223u;
  }
  result[0] = state;
}
