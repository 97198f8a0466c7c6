// work    2 * 16 bytes per invocation: read and written
// shape   two buffers of one size, a multiple of 64 bytes
// launch  2-D grid of workgroups of 256; the last ones may lie past the end
// needs   nothing
// One vector of four words an invocation, neighbours next to one another, so that every access is of whole lines.
struct Extent { vectors: u32, row: u32 }
@group(0) @binding(0) var<uniform> extent: Extent;
@group(0) @binding(1) var<storage, read> source: array<vec4<u32>>;
@group(0) @binding(2) var<storage, read_write> destination: array<vec4<u32>>;
{% if counted %}@group(0) @binding(3) var<storage, read_write> executed: atomic<u32>;{% endif %}
@compute @workgroup_size(256)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let i = id.y * extent.row + id.x;
  if (id.x < extent.row && i < extent.vectors) {
    destination[i] = source[i];
    {% if counted %}atomicAdd(&executed, 32u);{% endif %}
  }
}
