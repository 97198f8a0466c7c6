// work    2 * m * n * k
// shape   C[m, n] = A[m, k] x B[k, n], row-major, A also as [k, m]; padded with zeros to whole tiles
// launch  (n / bn, m / bm) workgroups of wx x wy invocations
// needs   fp16: SHADER_F16; fp64: SHADER_F64
// No workgroup memory: each invocation loads what it multiplies, tm rows of A and tn columns of four of B, and relies
// on the caches. The simplest kernel that still uses every loaded number several times. All loads of a step come
// before its arithmetic, so that they are in flight together, and a sum takes its four products one after the other:
// where registers are few, it leaves them once a step and not four times.
{% macro mac(c, a, b) -%}
{{ c }} = fma({{ sum }}({{ a }}), {{ b }}, {{ c }});{% if counted %} ops += 8u;{% endif %}
{%- endmacro %}
{% macro element(i, q) -%}
{% if transposed %}a{{ q }}_{{ i // 4 }}[{{ i % 4 }}]{% else %}a{{ i }}[{{ q }}]{% endif %}
{%- endmacro %}
{% if "f16" in enables %}enable f16;{% endif %}
struct Extents { k: u32, lda: u32, ldb: u32, ldc: u32, row: u32, column: u32 }
@group(0) @binding(0) var<uniform> extents: Extents;
@group(0) @binding(1) var<storage, read> left: array<vec4<{{ operand }}>>;
@group(0) @binding(2) var<storage, read> right: array<vec4<{{ operand }}>>;
@group(0) @binding(3) var<storage, read_write> product: array<vec4<{{ result }}>>;
{% if counted %}@group(0) @binding(4) var<storage, read_write> executed: atomic<u32>;{% endif %}
@compute @workgroup_size({{ wx }}, {{ wy }})
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_id) local: vec3<u32>) {
  {% if counted %}var ops = 0u;{% endif %}
  let row = (group.y + extents.row) * {{ bm }}u + local.y * {{ tm }}u;
  let column = (group.x + extents.column) * {{ wx * tn }}u + local.x;
  {% for i in range(tm) %}{% for j in range(tn) %}
  var c{{ i }}_{{ j }} = {{ sum }}();
  {% endfor %}{% endfor %}
  for (var p = 0u; p < extents.k / 4u; p++) {
    {% if transposed %}
    {% for q in range(4) %}{% for g in range(tm // 4) %}
    let a{{ q }}_{{ g }} = {{ sum }}(left[(p * 4u + {{ q }}u) * extents.lda + row / 4u + {{ g }}u]);
    {% endfor %}{% endfor %}
    {% else %}
    {% for i in range(tm) %}
    let a{{ i }} = {{ sum }}(left[(row + {{ i }}u) * extents.lda + p]);
    {% endfor %}
    {% endif %}
    {% for q in range(4) %}{% for j in range(tn) %}
    let b{{ q }}_{{ j }} = {{ sum }}(right[(p * 4u + {{ q }}u) * extents.ldb + column + {{ j * wx }}u]);
    {% endfor %}{% endfor %}
    {% for i in range(tm) %}{% for j in range(tn) %}{% for q in range(4) %}
    {{ mac("c" ~ i ~ "_" ~ j, element(i, q), "b" ~ q ~ "_" ~ j) }}
    {% endfor %}{% endfor %}{% endfor %}
  }
  {% for i in range(tm) %}{% for j in range(tn) %}
  product[(row + {{ i }}u) * extents.ldc + column + {{ j * wx }}u] = vec4<{{ result }}>(c{{ i }}_{{ j }});
  {% endfor %}{% endfor %}
  {% if counted %}atomicAdd(&executed, ops);{% endif %}
}
