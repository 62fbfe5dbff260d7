// SPDX-License-Identifier: MIT

// Stands in for the AWS provider where that cannot be had: it knows what the provider's resources may have
// (schema.json) and nothing of AWS. OpenTofu checks configurations against it, and makes up the rest itself
// (mock_provider), so that nothing else is asked of it.
package main

import (
	"context"
	_ "embed"
	"log"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6/tf6server"
)

//go:embed schema.json
var schemaFile []byte

// provider panics when it is asked for what it does not have.
type provider struct {
	tfprotov6.ProviderServer
	schemas schemas
}

func (p provider) GetMetadata(context.Context, *tfprotov6.GetMetadataRequest) (*tfprotov6.GetMetadataResponse, error) {
	return &tfprotov6.GetMetadataResponse{}, nil
}

func (p provider) GetProviderSchema(context.Context, *tfprotov6.GetProviderSchemaRequest) (*tfprotov6.GetProviderSchemaResponse, error) {
	return &tfprotov6.GetProviderSchemaResponse{
		Provider:          region(),
		ResourceSchemas:   protocolSchemas(p.schemas.Resources),
		DataSourceSchemas: protocolSchemas(p.schemas.DataSources),
	}, nil
}

func (p provider) ValidateProviderConfig(_ context.Context, request *tfprotov6.ValidateProviderConfigRequest) (*tfprotov6.ValidateProviderConfigResponse, error) {
	return &tfprotov6.ValidateProviderConfigResponse{PreparedConfig: request.Config}, nil
}

func (p provider) ValidateResourceConfig(context.Context, *tfprotov6.ValidateResourceConfigRequest) (*tfprotov6.ValidateResourceConfigResponse, error) {
	return &tfprotov6.ValidateResourceConfigResponse{}, nil
}

func (p provider) ValidateDataResourceConfig(context.Context, *tfprotov6.ValidateDataResourceConfigRequest) (*tfprotov6.ValidateDataResourceConfigResponse, error) {
	return &tfprotov6.ValidateDataResourceConfigResponse{}, nil
}

// UpgradeResourceState has one version only: the state is what it was.
func (p provider) UpgradeResourceState(_ context.Context, request *tfprotov6.UpgradeResourceStateRequest) (*tfprotov6.UpgradeResourceStateResponse, error) {
	state := protocolSchemas(p.schemas.Resources)[request.TypeName].ValueType()
	value, err := request.RawState.Unmarshal(state)
	if err != nil {
		return nil, err
	}
	upgraded, err := tfprotov6.NewDynamicValue(state, value)
	return &tfprotov6.UpgradeResourceStateResponse{UpgradedState: &upgraded}, err
}

func (p provider) StopProvider(context.Context, *tfprotov6.StopProviderRequest) (*tfprotov6.StopProviderResponse, error) {
	return &tfprotov6.StopProviderResponse{}, nil
}

func main() {
	schemas, err := readSchemas(schemaFile)
	if err != nil {
		log.Fatal(err)
	}
	serve := func() tfprotov6.ProviderServer { return provider{schemas: schemas} }
	if err := tf6server.Serve("hashicorp/aws", serve); err != nil {
		log.Fatal(err)
	}
}
