// work    2 * m * n * k
// shape   C[m, n] = A[m, k] x B[k, n], row-major, A also as [k, m]; padded with zeros to whole tiles
// launch  (n / bn, m / bm) workgroups; wx is enough invocations for wy subgroups
// needs   EXPERIMENTAL_COOPERATIVE_MATRIX with the size and formats, SUBGROUP; f16: SHADER_F16
// Each of wy subgroups computes tm x tn tiles of size x size, one below the other. Tiles of A and B go through
// workgroup memory twice over: while one half is multiplied the other is filled, with one barrier a step. Subgroups
// smaller than the adapter's greatest leave some over, which repeat the last band and store the same values: a
// branch round the matrices would not be uniform, which the language forbids.
{% macro mac(c, a, b) -%}
{{ c }} = coopMultiplyAdd({{ a }}, {{ b }}, {{ c }});{% if counted %} if (lane == 0u && subgroup == band) { ops += {{ 2 * size * size * size }}u; }{% endif %}
{%- endmacro %}
{% if "f16" in enables %}enable f16;{% endif %}
enable wgpu_cooperative_matrix;
struct Extents { k: u32, lda: u32, ldb: u32, ldc: u32, row: u32, column: u32 }
@group(0) @binding(0) var<uniform> extents: Extents;
@group(0) @binding(1) var<storage, read> left: array<{{ operand }}>;
@group(0) @binding(2) var<storage, read> right: array<{{ operand }}>;
@group(0) @binding(3) var<storage, read_write> product: array<{{ result }}>;
{% if counted %}@group(0) @binding(4) var<storage, read_write> executed: atomic<u32>;{% endif %}
var<workgroup> tile_a: array<{{ operand }}, {{ 2 * bm * bk }}>;
var<workgroup> tile_b: array<{{ operand }}, {{ 2 * bk * bn }}>;
{% macro fill(half, p) %}
for (var i = index; i < {{ bm * bk }}u; i += {{ wx }}u) {
  {% if transposed %}
  tile_a[{{ half }} * {{ bm * bk }}u + i] = left[({{ p }} + i / {{ bm }}u) * extents.lda * 4u + row + i % {{ bm }}u];
  {% else %}
  tile_a[{{ half }} * {{ bm * bk }}u + i] = left[(row + i / {{ bk }}u) * extents.lda * 4u + {{ p }} + i % {{ bk }}u];
  {% endif %}
}
for (var i = index; i < {{ bk * bn }}u; i += {{ wx }}u) {
  tile_b[{{ half }} * {{ bk * bn }}u + i] = right[({{ p }} + i / {{ bn }}u) * extents.ldb * 4u + column + i % {{ bn }}u];
}
{% endmacro %}
@compute @workgroup_size({{ wx }})
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) index: u32,
        @builtin(subgroup_id) subgroup: u32, @builtin(subgroup_invocation_id) lane: u32) {
  {% if counted %}var ops = 0u;{% endif %}
  let band = min(subgroup, {{ wy - 1 }}u);
  let row = (group.y + extents.row) * {{ bm }}u;
  let column = (group.x + extents.column) * {{ bn }}u;
  {% for i in range(tm) %}{% for j in range(tn) %}
  var c{{ i }}_{{ j }} = coop_mat{{ size }}x{{ size }}<{{ result }}, C>();
  {% endfor %}{% endfor %}
  {{ fill("0u", "0u") }}
  workgroupBarrier();
  var half = 0u;
  for (var p = 0u; p < extents.k; p += {{ bk }}u) {
    let next = p + {{ bk }}u;
    if (next < extents.k) {
      let other = 1u - half;
      {{ fill("other", "next") }}
    }
      {% for q in range(0, bk, size) %}
      {% for i in range(tm) %}
      {% if transposed %}
      let a{{ i }}_{{ q }} = coopLoad<coop_mat{{ size }}x{{ size }}<{{ operand }}, A>>(&tile_a[half * {{ bm * bk }}u + {{ q * bm }}u + band * {{ tm * size }}u + {{ i * size }}u], {{ bm }}u);
      {% else %}
      let a{{ i }}_{{ q }} = coopLoadT<coop_mat{{ size }}x{{ size }}<{{ operand }}, A>>(&tile_a[half * {{ bm * bk }}u + (band * {{ tm * size }}u + {{ i * size }}u) * {{ bk }}u + {{ q }}u], {{ bk }}u);
      {% endif %}
      {% endfor %}
      {% for j in range(tn) %}
      let b{{ j }}_{{ q }} = coopLoadT<coop_mat{{ size }}x{{ size }}<{{ operand }}, B>>(&tile_b[half * {{ bk * bn }}u + {{ q * bn }}u + {{ j * size }}u], {{ bn }}u);
      {% for i in range(tm) %}
      {{ mac("c" ~ i ~ "_" ~ j, "a" ~ i ~ "_" ~ q, "b" ~ j ~ "_" ~ q) }}
      {% endfor %}
      {% endfor %}
      {% endfor %}
    workgroupBarrier();
    half = 1u - half;
  }
    let stride = extents.ldc * 4u;
    {% for i in range(tm) %}{% for j in range(tn) %}
    let at{{ i }}_{{ j }} = (row + band * {{ tm * size }}u + {{ i * size }}u) * stride + column + {{ j * size }}u;
    coopStoreT(c{{ i }}_{{ j }}, &product[at{{ i }}_{{ j }}], stride);
    {% endfor %}{% endfor %}
  {% if counted %}if (lane == 0u) { atomicAdd(&executed, ops); }{% endif %}
}
