// SPDX-License-Identifier: MIT

package main

import (
	"encoding/json"
	"fmt"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// The notation of `terraform providers schema -json`, as far as read_schema.py writes it.
type schemas struct {
	Resources   map[string]schema `json:"resource_schemas"`
	DataSources map[string]schema `json:"data_source_schemas"`
}

type schema struct {
	Block block `json:"block"`
}

type block struct {
	Attributes map[string]attribute   `json:"attributes"`
	Blocks     map[string]nestedBlock `json:"block_types"`
}

type attribute struct {
	Type     attributeType `json:"type"`
	Required bool          `json:"required"`
	Optional bool          `json:"optional"`
	Computed bool          `json:"computed"`
}

type nestedBlock struct {
	Nesting  string `json:"nesting_mode"`
	MinItems int64  `json:"min_items"`
	Block    block  `json:"block"`
}

type attributeType struct{ tftypes.Type }

var simpleTypes = map[string]tftypes.Type{"string": tftypes.String, "number": tftypes.Number, "bool": tftypes.Bool}

var nestings = map[string]tfprotov6.SchemaNestedBlockNestingMode{
	"list":   tfprotov6.SchemaNestedBlockNestingModeList,
	"set":    tfprotov6.SchemaNestedBlockNestingModeSet,
	"single": tfprotov6.SchemaNestedBlockNestingModeSingle,
}

func readSchemas(file []byte) (schemas, error) {
	var read schemas
	err := json.Unmarshal(file, &read)
	return read, err
}

// UnmarshalJSON reads "string" or ["list", "string"].
func (t *attributeType) UnmarshalJSON(text []byte) error {
	var simple string
	if json.Unmarshal(text, &simple) == nil {
		t.Type = simpleTypes[simple]
	} else {
		var pair [2]string
		if err := json.Unmarshal(text, &pair); err != nil {
			return err
		}
		t.Type = collection(pair[0], simpleTypes[pair[1]])
	}
	if t.Type == nil {
		return fmt.Errorf("%s is not a type", text)
	}
	return nil
}

func collection(kind string, element tftypes.Type) tftypes.Type {
	switch kind {
	case "list":
		return tftypes.List{ElementType: element}
	case "set":
		return tftypes.Set{ElementType: element}
	case "map":
		return tftypes.Map{ElementType: element}
	}
	return nil
}

func protocolSchemas(from map[string]schema) map[string]*tfprotov6.Schema {
	to := map[string]*tfprotov6.Schema{}
	for name, schema := range from {
		to[name] = &tfprotov6.Schema{Block: protocolBlock(schema.Block)}
	}
	return to
}

func protocolBlock(from block) *tfprotov6.SchemaBlock {
	to := &tfprotov6.SchemaBlock{}
	for name, a := range from.Attributes {
		to.Attributes = append(to.Attributes, &tfprotov6.SchemaAttribute{
			Name: name, Type: a.Type.Type, Required: a.Required, Optional: a.Optional, Computed: a.Computed,
		})
	}
	for name, nested := range from.Blocks {
		to.BlockTypes = append(to.BlockTypes, &tfprotov6.SchemaNestedBlock{
			TypeName: name, Nesting: nestings[nested.Nesting], MinItems: nested.MinItems, Block: protocolBlock(nested.Block),
		})
	}
	return to
}

// What the configuration of the provider itself may have here.
func region() *tfprotov6.Schema {
	name := &tfprotov6.SchemaAttribute{Name: "region", Type: tftypes.String, Optional: true}
	return &tfprotov6.Schema{Block: &tfprotov6.SchemaBlock{Attributes: []*tfprotov6.SchemaAttribute{name}}}
}
