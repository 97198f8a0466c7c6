// work    8 * chains * unroll per invocation and trip: four products and four sums a packed dot product
// shape   none: register-resident
// launch  1-D grid, 64 invocations a workgroup
// needs   nothing; a driver without the instruction computes it by several others
// The chain enters its own operand through an exclusive or, which is not counted, or the product would be computed
// once. Wrapping 32-bit sums are the same on every device, so that a replay gives every bit.
{% macro mac(c, x) -%}
{{ c }} += dot4I8Packed({{ x }} ^ u32({{ c }}), y);{% if counted %} ops += 8u;{% endif %}
{%- endmacro %}
struct Control { trips: u32 }
struct Operands { x: u32, y: u32 }
@group(0) @binding(0) var<uniform> control: Control;
@group(0) @binding(1) var<storage, read> operands: Operands;
@group(0) @binding(2) var<storage, read_write> results: array<i32>;
{% if counted %}@group(0) @binding(3) var<storage, read_write> executed: atomic<u32>;{% endif %}
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  {% if counted %}var ops = 0u;{% endif %}
  let y = operands.y;
  {% for j in range(chains) %}
  var c{{ j }} = i32((id.x & 15u) + {{ j }}u);
  let x{{ j }} = operands.x + {{ j }}u;
  {% endfor %}
  for (var trip = 0u; trip < control.trips; trip++) {
    {% for u in range(unroll) %}
    {% for j in range(chains) %}
    {{ mac("c" ~ j, "x" ~ j) }}
    {% endfor %}
    {% endfor %}
  }
  var sum = c0;
  {% for j in range(1, chains) %}
  sum += c{{ j }};
  {% endfor %}
  results[id.x] = sum;
  {% if counted %}atomicAdd(&executed, ops);{% endif %}
}
