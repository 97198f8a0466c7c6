// work    2 * chains * unroll * width per invocation and trip
// shape   none: register-resident
// launch  1-D grid, 64 invocations a workgroup
// needs   fp16: SHADER_F16; fp64: SHADER_F64
// Every chain depends on itself alone, so that chains x width operations are in flight. x and y come from a buffer:
// nothing can be folded. The store depends on every chain, or a compiler drops the unread ones. With x = y = 1 each
// chain counts its steps exactly, fused or not; timed runs take x near -1, which changes every bit at every step.
{% macro mac(c) -%}
{{ c }} = fma({{ c }}, x, y);{% if counted %} ops += {{ 2 * width }}u;{% endif %}
{%- endmacro %}
{% if scalar == "f16" %}enable f16;{% endif %}
struct Control { trips: u32 }
struct Operands { x: {{ scalar }}, y: {{ scalar }} }
@group(0) @binding(0) var<uniform> control: Control;
@group(0) @binding(1) var<storage, read> operands: Operands;
@group(0) @binding(2) var<storage, read_write> results: array<{{ sum }}>;
{% if counted %}@group(0) @binding(3) var<storage, read_write> executed: atomic<u32>;{% endif %}
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  {% if counted %}var ops = 0u;{% endif %}
  let x = {{ vector }}(operands.x);
  let y = {{ vector }}(operands.y);
  let start = {{ scalar }}(id.x & 15u);
  {% for j in range(chains) %}
  var c{{ j }} = {{ vector }}(start + {{ scalar }}({{ j }}u));
  {% endfor %}
  for (var trip = 0u; trip < control.trips; trip++) {
    {% for u in range(unroll) %}
    {% for j in range(chains) %}
    {{ mac("c" ~ j) }}
    {% endfor %}
    {% endfor %}
  }
  var sum = {{ sum_vector }}(c0);
  {% for j in range(1, chains) %}
  sum += {{ sum_vector }}(c{{ j }});
  {% endfor %}
  {% for w in range(width) %}
  results[id.x * {{ width }}u + {{ w }}u] = sum{% if width > 1 %}[{{ w }}]{% endif %};
  {% endfor %}
  {% if counted %}atomicAdd(&executed, ops);{% endif %}
}
