// work    2 * size^3 * chains * unroll per subgroup and trip
// shape   none: register-resident
// launch  1-D grid, one subgroup a workgroup
// needs   EXPERIMENTAL_COOPERATIVE_MATRIX with the size and formats; f16 operands: SHADER_F16
// Both operands stay in registers and hold one number in every element, so that each sum grows by size * x * x a step
// in every layout of the elements. Each chain is stored to a tile of its own.
{% macro mac(c) -%}
{{ c }} = coopMultiplyAdd(a, b, {{ c }});{% if counted %} if (local == 0u) { ops += {{ 2 * size * size * size }}u; }{% endif %}
{%- endmacro %}
{% if operand == "f16" or result == "f16" %}enable f16;{% endif %}
enable wgpu_cooperative_matrix;
struct Control { trips: u32 }
@group(0) @binding(0) var<uniform> control: Control;
@group(0) @binding(1) var<storage, read> operands: array<{{ operand }}>;
@group(0) @binding(2) var<storage, read_write> results: array<{{ result }}>;
{% if counted %}@group(0) @binding(3) var<storage, read_write> executed: atomic<u32>;{% endif %}
@compute @workgroup_size({{ subgroup }})
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) local: u32) {
  {% if counted %}var ops = 0u;{% endif %}
  let a = coopLoadT<coop_mat{{ size }}x{{ size }}<{{ operand }}, A>>(&operands[0], {{ size }}u);
  let b = coopLoadT<coop_mat{{ size }}x{{ size }}<{{ operand }}, B>>(&operands[{{ size * size }}], {{ size }}u);
  {% for j in range(chains) %}
  var c{{ j }} = coop_mat{{ size }}x{{ size }}<{{ result }}, C>();
  {% endfor %}
  for (var trip = 0u; trip < control.trips; trip++) {
    {% for u in range(unroll) %}
    {% for j in range(chains) %}
    {{ mac("c" ~ j) }}
    {% endfor %}
    {% endfor %}
  }
  {% for j in range(chains) %}
  let i{{ j }} = (group.x * {{ chains }}u + {{ j }}u) * {{ size * size }}u;
  coopStoreT(c{{ j }}, &results[i{{ j }}], {{ size }}u);
  {% endfor %}
  {% if counted %}if (local == 0u) { atomicAdd(&executed, ops); }{% endif %}
}
